import type { LogId } from '../domain/brand.js';
import type { StreamName } from '../domain/stored.js';
import type { Connection } from './buffer-file.js';

/**
 * `change`: the last number given to a change. `analysed`: changes of slots that are forecast and scored.
 * `replay`: the first row of the log that a slot still in memory needs. `settled:…`: what the centre has.
 */
export type CursorName = 'change' | 'analysed' | 'replay' | `settled:${StreamName}` | `salvaged:${string}`;

export interface Cursors {
  position(name: CursorName): number;
}

export function openCursors(db: Connection, logId: LogId): Cursors {
  const select = db
    .prepare<[string, string], number>('select position from cursor where log_id = ? and name = ?')
    .pluck();
  return { position: (name) => select.get(logId, name) ?? 0 };
}

/** The last number that AUTOINCREMENT gave, which outlives the rows. */
export function lastSeqOf(db: Connection, table: 'rejected'): () => number {
  const select = db.prepare<[string], number>('select seq from sqlite_sequence where name = ?').pluck();
  return () => select.get(table) ?? 0;
}
