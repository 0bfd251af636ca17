import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, WattwardenError } from '../domain/errors.js';
import { openingFault } from './buffer-file.js';

export interface WriterLock {
  release(): void;
}

/**
 * Holds an exclusive lock on a small file beside the buffer. The kernel drops it when the process ends in any way, so
 * nothing stale is ever left to clean up. The buffer itself cannot be locked so: readers must get in.
 */
export function takeWriterLock(path: string): WriterLock {
  let db: Database.Database | undefined;
  try {
    db = new Database(`${realPath(path)}.lock`, { timeout: 0 });
    db.pragma('journal_mode = MEMORY');
    db.exec('begin exclusive');
    const held = db;
    return { release: () => void held.close() };
  } catch (error) {
    db?.close();
    if (codeOf(error)?.startsWith('SQLITE_BUSY') === true) throw new WattwardenError('buffer.in_use', path);
    // Nothing is kept in the lock: one that is damaged tells of the disk, not of the readings.
    throw openingFault(`${path}.lock`, error);
  }
}

/** Two names of one file must meet at one lock. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return join(realpathSync(dirname(path)), basename(path));
  }
}
