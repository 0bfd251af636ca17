import type { Connection } from './buffer-file.js';

/** One table of changing rows is gone through from its oldest row, a bounded step at a time. */
export interface Passing {
  step(limits: Limits): { readonly deleted: number; readonly more: boolean };
}

interface Limits {
  readonly beforeMs: number;
  /** So many of the oldest rows go, whatever their age. */
  readonly over: number;
  /** Changes beyond this are not at the centre, and stay. */
  readonly upTo: number;
}

interface Row {
  readonly atMs: number;
  readonly meter: number;
  readonly changeSeq: number;
}

const STEP_ROWS = 2_000;
const BEGINNING = { atMs: -1, meter: -1 };

const TIMES = { slot: 'slot_start_ms', forecast: 'issued_slot_ms', anomaly: 'slot_start_ms' } as const;

export function openPassing(db: Connection, table: keyof typeof TIMES): Passing {
  const time = TIMES[table];
  const next = db.prepare<[number, number, number], Row>(
    `select ${time} as atMs, meter, change_seq as changeSeq from ${table}
     where (${time}, meter) > (?, ?) order by ${time}, meter limit ?`,
  );
  const remove = db.prepare(`delete from ${table} where ${time} = ? and meter = ?`);
  /** Goes on where the last step ended: what is not settled is passed over once in a round, not in every step. */
  let passed: Pick<Row, 'atMs' | 'meter'> = BEGINNING;

  return {
    step({ beforeMs, over, upTo }) {
      const rows = next.all(passed.atMs, passed.meter, STEP_ROWS);
      let deleted = 0;
      let young = false;
      for (const { atMs, meter, changeSeq } of rows) {
        young = atMs >= beforeMs && deleted >= over;
        if (young) break;
        if (changeSeq > upTo) continue;
        remove.run(atMs, meter);
        deleted += 1;
      }
      const end = rows.at(-1);
      const more = !young && rows.length === STEP_ROWS && end !== undefined;
      passed = more ? end : BEGINNING;
      return { deleted, more };
    },
  };
}
