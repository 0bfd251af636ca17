import { statSync } from 'node:fs';
import type { Connection } from '../buffer-file.js';

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
  // Both logs lose rows at their beginning only, so their ends say how many there are.
  const span = (table: 'reading' | 'rejected') =>
    db
      .prepare<[], number>(`select coalesce((select max(seq) from ${table}) - (select min(seq) from ${table}) + 1, 0)`)
      .pluck();
  const readings = span('reading');
  const rejected = span('rejected');
  const counter = db.prepare<[string], number>('select value from counter where name = ?').pluck();
  const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

  return () => ({
    readings: readings.get() ?? 0,
    rejected: rejected.get() ?? 0,
    slots: counter.get('slots') ?? 0,
    forecasts: counter.get('forecasts') ?? 0,
    anomalies: counter.get('anomalies') ?? 0,
    fileBytes: bytesOf(path),
    walBytes: bytesOf(`${path}-wal`),
  });
}
