import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/**
 * Numbers for the rows of the log, without gaps and none twice: the newest row is never deleted (a trigger in schema.ts),
 * so that it tells the last one. AUTOINCREMENT alone would write its own table with every commit, a third of all that a
 * small commit writes; here it is moved forward by a block at a time, and nothing but the first row of a block needs it.
 */
export interface RowNumbers {
  /** Only inside a transaction. */
  next(): number;
  last(): number;
}

const BLOCK = 4_096;

export function openRowNumbers(db: Connection, transactions: Transactions): RowNumbers {
  const reservedUpTo = db.prepare<[], number>(`select seq from sqlite_sequence where name = 'reading'`).pluck();
  const move = db.prepare(`update sqlite_sequence set seq = ? where name = 'reading'`);
  const begin = db.prepare(`insert into sqlite_sequence (name, seq) values ('reading', ?)`);
  let last = newestRowOf(db)();
  let reserved = reservedUpTo.get() ?? 0;
  let before = { last, reserved };
  transactions.onBegin(() => {
    before = { last, reserved };
  });
  transactions.onRollback(() => {
    ({ last, reserved } = before);
  });

  function reserve(): void {
    reserved = last + BLOCK;
    if (move.run(reserved).changes === 0) begin.run(reserved);
  }

  return {
    next() {
      if (last >= reserved) reserve();
      last += 1;
      return last;
    },
    last: () => last,
  };
}

export function newestRowOf(db: Connection): () => number {
  const select = db.prepare<[], number | null>('select max(seq) from reading').pluck();
  return () => select.get() ?? 0;
}
