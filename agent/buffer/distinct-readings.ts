import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { MeterId } from '../domain/brand.js';
import type { StoredReading } from '../domain/stored.js';
import { damageOf } from './damage.js';

/** What is asked of the log, a short read at a time; BufferReader fits it. */
export interface LogSource {
  stream(name: 'reading', after: number, limit: number): readonly StoredReading[];
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  /** All when not given. */
  readonly meters?: ReadonlySet<MeterId>;
}

/** The readings of a range: distinct (meter, taken_at), of which the first in the log stands, in order of time. */
export interface DistinctReadings {
  readonly count: number;
  has(meter: MeterId, takenAtMs: number): boolean;
  pages(rows: number): Iterable<readonly StoredReading[]>;
  close(): void;
}

const PAGE_ROWS = 5_000;

/**
 * The log has no index by meter and time, so its rows are sorted in a file beside what is being made, not in memory: the
 * key begins with the time, in whose order they nearly come. No read lasts longer than a page: a long one would pin the WAL.
 */
export function openDistinctReadings(log: LogSource, range: Range, scratch: string): DistinctReadings {
  removeScratch(scratch);
  const db = new Database(scratch);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.exec(
      `create table row (taken_at_ms integer, meter text, reading text not null, primary key (taken_at_ms, meter)) without rowid`,
    );
    const insert = db.prepare('insert or ignore into row (taken_at_ms, meter, reading) values (?, ?, ?)');
    const takePage = db.transaction((rows: readonly StoredReading[]): void => {
      for (const row of rows) {
        if (row.takenAtMs < range.fromMs || row.takenAtMs >= range.toMs) continue;
        if (range.meters !== undefined && !range.meters.has(row.meter)) continue;
        insert.run(row.takenAtMs, row.meter, JSON.stringify(row));
      }
    });
    for (let after = 0; ; ) {
      const rows = log.stream('reading', after, PAGE_ROWS);
      const last = rows.at(-1);
      if (last === undefined) break;
      takePage(rows);
      after = last.seq;
    }
  } catch (error) {
    db.close();
    // A log that is damaged is told of by its owner, and the scratch file is of no use to anybody.
    if (damageOf(error) === undefined) removeScratch(scratch);
    throw error;
  }
  const known = db.prepare<[number, string], number>('select 1 from row where taken_at_ms = ? and meter = ?').pluck();
  const page = db
    .prepare<[number, string, number], string>(
      'select reading from row where (taken_at_ms, meter) > (?, ?) order by taken_at_ms, meter limit ?',
    )
    .pluck();
  return {
    count: db.prepare<[], number>('select count(*) from row').pluck().get() ?? 0,
    has: (meter, takenAtMs) => known.get(takenAtMs, meter) !== undefined,
    *pages(limit) {
      let last: StoredReading | undefined;
      for (;;) {
        const rows = page
          .all(last?.takenAtMs ?? -1, last?.meter ?? '', limit)
          .map((text) => JSON.parse(text) as StoredReading);
        last = rows.at(-1);
        if (last === undefined) return;
        yield rows;
      }
    },
    close() {
      db.close();
      removeScratch(scratch);
    },
  };
}

function removeScratch(scratch: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(scratch + suffix, { force: true });
}
