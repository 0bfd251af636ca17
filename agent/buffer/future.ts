import { DAY_MS } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';
import type { MeterStates } from './meter-state.js';
import type { SlotDays } from './slot-days.js';
import type { Transactions } from './transactions.js';

/** Validation lets no meter's clock be further ahead: a later time comes of a clock of this gateway that was wrong. */
export const MAX_AHEAD_MS = 86_400_000;

/** What a clock that ran ahead has left behind. Its readings stay in the log; what was made of them goes, step by step. */
export interface Future {
  /** Only inside a transaction. */
  forget(beyondMs: number): void;
  /** One bounded step; until there is no more, no slot is written, so that none of the right time is taken for one of those. */
  step(): { readonly more: boolean };
}

interface Parts {
  readonly transactions: Transactions;
  readonly states: MeterStates;
  readonly days: Pick<SlotDays, 'dropFrom'>;
}

/** Rows dropped in one step: some milliseconds of the thread that takes readings in. */
const STEP_ROWS = 2_000;

export function openFuture(db: Connection, { transactions, states, days }: Parts): Future {
  const note = db.prepare(
    `insert into setting (name, value) values ('forget_beyond', ?)
     on conflict do update set value = excluded.value`,
  );
  const clear = db.prepare(`delete from setting where name = 'forget_beyond'`);
  const slots = db.prepare(
    `delete from slot where (slot_start_ms, meter) in
       (select slot_start_ms, meter from slot where slot_start_ms > ? order by slot_start_ms limit ${STEP_ROWS})`,
  );
  const forecasts = db.prepare(
    `delete from forecast where (issued_slot_ms, meter) in
       (select issued_slot_ms, meter from forecast where issued_slot_ms > ? order by issued_slot_ms limit ${STEP_ROWS})`,
  );
  let beyondMs = db
    .prepare<[], number>(`select cast(value as integer) from setting where name = 'forget_beyond'`)
    .pluck()
    .get();
  let saved = beyondMs;
  transactions.onBegin(() => {
    saved = beyondMs;
  });
  transactions.onRollback(() => {
    beyondMs = saved;
  });

  /** A packed day is over: one that holds the bound, a day ahead of now, cannot be. */
  function dropSome(ms: number): number {
    const dropped = days.dropFrom(Math.floor(ms / DAY_MS));
    if (dropped > 0) return dropped;
    const ofSlots = slots.run(ms).changes;
    transactions.count('slots', -ofSlots);
    if (ofSlots > 0) return ofSlots;
    const ofForecasts = forecasts.run(ms).changes;
    transactions.count('forecasts', -ofForecasts);
    return ofForecasts;
  }

  return {
    forget(ms) {
      const atMs = Math.floor(ms);
      states.forgetBeyond(atMs);
      beyondMs = Math.min(beyondMs ?? atMs, atMs);
      note.run(String(beyondMs));
    },
    step() {
      const ms = beyondMs;
      if (ms === undefined) return { more: false };
      transactions.run(() => {
        if (dropSome(ms) > 0) return;
        clear.run();
        beyondMs = undefined;
      });
      return { more: beyondMs !== undefined };
    },
  };
}
