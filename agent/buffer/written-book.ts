import { WRITE_CAUSES, type WriteCause } from '../domain/disk.js';
import type { Connection } from './buffer-file.js';
import { DAY_MS } from './quality-book.js';
import type { Transactions } from './transactions.js';

/** Bytes written to the disk by day and cause, kept across restarts; what was written since the last `save` is lost by a kill. */
export interface WrittenBook {
  save(nowMs: number): void;
  /** Of today and of as much of yesterday as makes up a day. */
  lastDay(nowMs: number): number;
  /** The mean of the last days that are over; undefined while none is. */
  meanPerDay(nowMs: number): number | undefined;
}

const DAYS_IN_MEAN = 30;
const DAYS_KEPT = 400;

export function openWrittenBook(db: Connection, transactions: Transactions): WrittenBook {
  const upsert = db.prepare(
    `insert into written (day, cause, bytes) values (?, ?, ?) on conflict do update set bytes = bytes + excluded.bytes`,
  );
  const forget = db.prepare('delete from written where day < ?');
  const sumOf = db.prepare<[number], number>('select coalesce(sum(bytes), 0) from written where day = ?').pluck();
  const lastDays = db
    .prepare<[number, number], number>(
      'select sum(bytes) from written where day >= ? and day < ? group by day order by day',
    )
    .pluck();
  const { bytes } = transactions.written;
  let saved: Record<WriteCause, number> = { ...bytes };

  const unsaved = (): number => WRITE_CAUSES.reduce((sum, cause) => sum + bytes[cause] - saved[cause], 0);
  const dayOf = (nowMs: number): number => Math.floor(nowMs / DAY_MS);

  return {
    save(nowMs) {
      const now = { ...bytes };
      transactions.run(() => {
        for (const cause of WRITE_CAUSES) {
          const more = now[cause] - saved[cause];
          if (more > 0) upsert.run(dayOf(nowMs), cause, more);
        }
        forget.run(dayOf(nowMs) - DAYS_KEPT);
      });
      saved = now;
    },
    lastDay(nowMs) {
      const day = dayOf(nowMs);
      const ofYesterday = 1 - (nowMs / DAY_MS - day);
      return Math.round((sumOf.get(day) ?? 0) + unsaved() + ofYesterday * (sumOf.get(day - 1) ?? 0));
    },
    meanPerDay(nowMs) {
      const today = dayOf(nowMs);
      // The first day that is known may have been a short one.
      const [, ...whole] = lastDays.all(today - DAYS_IN_MEAN - 1, today);
      return whole.length === 0 ? undefined : whole.reduce((sum, of) => sum + of, 0) / whole.length;
    },
  };
}
