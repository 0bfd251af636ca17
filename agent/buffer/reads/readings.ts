import type { MeterId, Seq } from '../../domain/brand.js';
import type { StoredReading } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import type { Cursors } from '../cursors.js';
import { MAX_AHEAD_MS } from '../future.js';
import { RECEIVED_AT, SELECT_READINGS, TAKEN_AT } from './columns.js';
import type { MeterKeys } from './meter-keys.js';

/** How far back the rows of one meter are looked for: the log has no index by meter, its history is in the slots. */
const MAX_SCANNED_ROWS = 200_000;

interface Parts {
  readonly meterKeys: MeterKeys;
  readonly cursors: Cursors;
  readonly lastSeq: () => number;
}

export interface ReadingQuery {
  readonly meter?: MeterId;
  readonly limit: number;
  readonly before?: Seq;
}

export function openReadingReads(db: Connection, { meterKeys, cursors, lastSeq }: Parts) {
  const newest = db.prepare<[number, number], StoredReading>(
    `${SELECT_READINGS} where r.seq < ? order by r.seq desc limit ?`,
  );
  const newestOfMeter = db.prepare<[number, number, number, number], StoredReading>(
    `${SELECT_READINGS} where r.seq < ? and r.seq >= ? and r.meter = ? order by r.seq desc limit ?`,
  );
  const latest = openLatest(db, { cursors, lastSeq });

  return {
    readings({ meter, limit, before = (lastSeq() + 1) as Seq }: ReadingQuery): readonly StoredReading[] {
      if (meter === undefined) return newest.all(before, limit);
      const key = meterKeys(meter);
      return key === undefined ? [] : newestOfMeter.all(before, before - MAX_SCANNED_ROWS, key, limit);
    },
    latestReadings: latest,
  };
}

/** Begins with what was stored with the last closed slots and follows the log from there; each row is seen once. */
function openLatest(db: Connection, { cursors, lastSeq }: Pick<Parts, 'cursors' | 'lastSeq'>) {
  const stored = db.prepare<[], StoredReading>(
    `${SELECT_READINGS} where r.seq in (select last_seq from meter_state where last_seq is not null)`,
  );
  // SQLite takes the other columns from the row that has the maximum.
  const newestSince = db.prepare<[number, number, number], StoredReading>(
    `${SELECT_READINGS.replace('r.seq,', `r.seq, max(${TAKEN_AT}),`)} where r.seq > ? and r.seq <= ? and ${TAKEN_AT} <= ?
       group by r.meter`,
  );
  const corrected = db.prepare<[], number>(`select count(*) from boot where trust <> 'untrusted'`).pluck();
  let corrections: number | undefined;
  const arrived = db
    .prepare<[number], number>(
      `select ${RECEIVED_AT} from reading r join boot b on b.id = r.boot where r.seq <= ? order by r.seq desc limit 1`,
    )
    .pluck();
  const latest = new Map<MeterId, StoredReading>();
  let seen: number | undefined;

  const note = (row: StoredReading, mostMs: number): void => {
    const known = latest.get(row.meter);
    if (row.takenAtMs > mostMs) return;
    if (known === undefined || row.takenAtMs > known.takenAtMs || known.takenAtMs > mostMs) latest.set(row.meter, row);
  };

  return db.transaction((): readonly StoredReading[] => {
    const upTo = lastSeq();
    const mostMs = (arrived.get(upTo) ?? 0) + MAX_AHEAD_MS;
    const now = corrected.get();
    if (now !== corrections) {
      // The time has become known, or moved: what was read before may have had another.
      latest.clear();
      seen = undefined;
      corrections = now;
    }
    if (seen === undefined) {
      for (const row of stored.all()) note(row, mostMs);
      seen = Math.max(0, cursors.position('replay') - 1);
    }
    for (const row of newestSince.all(seen, upTo, mostMs)) note(row, mostMs);
    seen = upTo;
    return [...latest.values()];
  });
}
