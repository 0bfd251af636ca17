import { statSync } from 'node:fs';
import type { Connection } from '../buffer-file.js';
import { newestRowOf } from '../row-numbers.js';

export interface BufferTotals {
  /** Rows in the log now. */
  readonly readings: number;
  readonly rejected: number;
  readonly slots: number;
  readonly forecasts: number;
  readonly anomalies: number;
  readonly fileBytes: number;
  readonly walBytes: number;
}

export function openTotals(db: Connection, path: string): () => BufferTotals {
  // Neither log has gaps in its numbers, and `rejected` loses rows at its beginning only.
  const rejected = db
    .prepare<[], number>('select coalesce((select max(seq) from rejected) - (select min(seq) from rejected) + 1, 0)')
    .pluck();
  const counter = db.prepare<[string], number>('select value from counter where name = ?').pluck();
  const given = newestRowOf(db);
  const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

  return () => ({
    readings: given() - (counter.get('dropped:reading') ?? 0),
    rejected: rejected.get() ?? 0,
    slots: counter.get('slots') ?? 0,
    forecasts: counter.get('forecasts') ?? 0,
    anomalies: counter.get('anomalies') ?? 0,
    fileBytes: bytesOf(path),
    walBytes: bytesOf(`${path}-wal`),
  });
}
