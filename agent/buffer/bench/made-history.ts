import Database from 'better-sqlite3';
import { dayKey } from '../day-rows.js';

/** What would take days to gather, written straight into the file beside the buffer's own connection. */

/** Days before `day` that are as that one was. */
export function repeatPackedDay(
  path: string,
  { day, days, meters }: { readonly day: number; readonly days: number; readonly meters: number },
): void {
  using(path, (db) => {
    const copy = db.prepare(
      `insert or ignore into slot_day (id, packed, first_change, last_register_ms, last_register_dwh, up_to_seq)
       select id - ?, packed, first_change, last_register_ms, last_register_dwh, up_to_seq
       from slot_day where id between ? and ?`,
    );
    db.transaction(() => {
      for (let ago = days; ago > 0; ago -= 1) {
        copy.run(dayKey(0, ago), dayKey(1, day), dayKey(meters, day, 3));
      }
    })();
  });
}

/** The pages of the packed days, with what of them is not used. */
export function packedBytes(path: string): number {
  return using(path, (db) =>
    Number(db.prepare(`select sum(pgsize) from dbstat where name in ('slot_day', 'slot_day_unsent')`).pluck().get()),
  );
}

/**
 * The last row again and again: what matters is how large the table is. Below the numbers of the rows that are there,
 * because the writer counts on from the newest one in its own memory.
 */
export function fillLog(path: string, rows: number): void {
  const chunk = 1_000_000;
  using(path, (db) => {
    const columns = db
      .prepare<[], string>(`select name from pragma_table_info('reading') where name <> 'seq'`)
      .pluck()
      .all()
      .join(', ');
    const fill = db.prepare(
      `insert into reading (seq, ${columns})
       with recursive n (i) as (select 1 union all select i + 1 from n where i < ?)
       select i - ?, ${columns} from n cross join (select * from reading order by seq desc limit 1)`,
    );
    for (let left = rows; left > 0; left -= chunk) {
      fill.run(Math.min(left, chunk), left + 1);
      db.pragma('wal_checkpoint(PASSIVE)');
    }
  });
}

function using<T>(path: string, work: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}
