import { type Flag, flagBits } from '../domain/flags.js';
import type { Connection } from './buffer-file.js';
import { RECEIVED_AT, TAKEN_AT } from './reads/columns.js';
import type { LogRow } from './slot-book.js';
import type { Transactions } from './transactions.js';

/** Whether a meter can have taken a reading at this time of its own when it arrived at that one. */
export type CanBe = (takenAtMs: number, receivedAtMs: number) => boolean;

/** Rows that arrived while the time was not known: they wait, and are placed in order once it is. */
export interface Placement {
  /** The first row that waits; undefined when none does. */
  readonly heldFrom: number | undefined;
  /** How far the placing has come, as the time at which the last row arrived; undefined while nothing is being placed. */
  readonly reachedMs: number | undefined;
  latest(): { readonly lastRowMs: number | undefined; readonly latestMs: number | undefined };
  /** Only inside a transaction: this row waits, and so does all that follows it. */
  hold(seq: number): void;
  /** After the time has become known, or at the start. */
  begin(): void;
  /** One bounded step. `take` gets each row: first inside the transaction, and again once it is committed. */
  step(take: { prepare(row: LogRow): void; add(row: LogRow): void }): {
    readonly placed: number;
    readonly more: boolean;
  };
}

interface HeldRow extends LogRow {
  readonly timeSource: number;
  readonly receivedAtMs: number;
  readonly offsetMs: number;
  readonly trust: string;
}

interface Parts {
  readonly transactions: Transactions;
  readonly canBe: CanBe;
  readonly lastSeq: () => number;
}

/** Rows placed in one transaction: some milliseconds of the thread that takes readings in. */
const STEP_ROWS = 1_000;
const CLOCK_OFF: Flag = 'meter_clock_off';

export const HELD_FROM = `select cast(value as integer) from setting where name = 'held_from'`;

export function openPlacement(db: Connection, { transactions, canBe, lastSeq }: Parts): Placement {
  const note = db.prepare(
    `insert into setting (name, value) values ('held_from', ?) on conflict do update set value = excluded.value`,
  );
  const clear = db.prepare(`delete from setting where name = 'held_from'`);
  const page = db.prepare<[number, number], HeldRow>(
    `select r.seq, r.meter, ${TAKEN_AT} as takenAtMs, r.power_dw as powerDw, r.import_dwh as importDwh,
       r.voltage_cv as voltageCv, r.time_source as timeSource, ${RECEIVED_AT} as receivedAtMs,
       b.offset_ms as offsetMs, b.trust
     from reading r join boot b on b.id = r.boot where r.seq >= ? order by r.seq limit ?`,
  );
  // It could not be refused when it came: it has the time of its arrival, as a meter whose clock is not set.
  const replaceTime = db.prepare(
    `update reading set time_source = 1, taken_at_ms = ?, flags = flags | ${flagBits([CLOCK_OFF])} where seq = ?`,
  );
  /** Several that came together are still several. */
  const ticks = new Map<number, number>();
  const arrivedBefore = db
    .prepare<[number], number>(
      `select ${RECEIVED_AT} from reading r join boot b on b.id = r.boot where r.seq < ? order by r.seq desc limit 1`,
    )
    .pluck();
  let heldFrom = db.prepare<[], number>(HELD_FROM).pluck().get();
  let reachedMs: number | undefined;
  let saved = heldFrom;
  transactions.onBegin(() => {
    saved = heldFrom;
  });
  transactions.onRollback(() => {
    heldFrom = saved;
  });

  function moveTo(next: number | undefined): void {
    if (next === undefined) clear.run();
    else note.run(String(next));
    heldFrom = next;
  }

  function placed(row: HeldRow): HeldRow {
    const { seq, meter, takenAtMs, receivedAtMs, offsetMs, trust } = row;
    // Where our own time is only estimated, it is no measure for a meter's.
    const measureMs = trust === 'estimated' ? takenAtMs : receivedAtMs;
    if (row.timeSource === 1 || canBe(takenAtMs, measureMs)) return row;
    const last = ticks.get(meter) ?? 0;
    const atMs = last >= receivedAtMs && last < receivedAtMs + 1_000 ? last + 1 : receivedAtMs;
    ticks.set(meter, atMs);
    replaceTime.run(atMs - offsetMs, seq);
    return { ...row, takenAtMs: atMs };
  }

  return {
    get heldFrom() {
      return heldFrom;
    },
    get reachedMs() {
      return reachedMs;
    },
    latest: () => ({
      lastRowMs: arrivedBefore.get(heldFrom ?? Number.MAX_SAFE_INTEGER),
      latestMs: arrivedBefore.get(Number.MAX_SAFE_INTEGER),
    }),
    hold(seq) {
      if (heldFrom === undefined) moveTo(seq);
    },
    begin() {
      if (heldFrom !== undefined) reachedMs = Number.NEGATIVE_INFINITY;
    },
    step({ prepare, add }) {
      const from = heldFrom;
      if (from === undefined || reachedMs === undefined) return { placed: 0, more: false };
      ticks.clear();
      const { rows, isEnd } = transactions.run(() => {
        const found = page.all(from, STEP_ROWS);
        const waiting = found.findIndex(({ trust }) => trust === 'untrusted');
        const ready = (waiting === -1 ? found : found.slice(0, waiting)).map(placed);
        for (const row of ready) prepare(row);
        const last = ready.at(-1)?.seq ?? from - 1;
        moveTo(waiting === -1 && last >= lastSeq() ? undefined : last + 1);
        return { rows: ready, isEnd: waiting !== -1 || last >= lastSeq() || found.length === 0 };
      });
      for (const row of rows) add(row);
      reachedMs = isEnd ? undefined : Math.max(reachedMs, rows.at(-1)?.receivedAtMs ?? reachedMs);
      return { placed: rows.length, more: !isEnd };
    },
  };
}
