import Database from 'better-sqlite3';
import { messageOf, WattwardenError } from '../domain/errors.js';

export interface CheckpointResult {
  readonly walPages: number;
  readonly movedPages: number;
}

/** Moves what it can from the WAL into the file without making the writer wait; for a worker, because it calls fsync. */
export function checkpoint(path: string): CheckpointResult {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true });
    const [row] = db.pragma('wal_checkpoint(PASSIVE)') as { readonly log: number; readonly checkpointed: number }[];
    return { walPages: row?.log ?? 0, movedPages: row?.checkpointed ?? 0 };
  } catch (error) {
    throw new WattwardenError('buffer.unopenable', `${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    db?.close();
  }
}
