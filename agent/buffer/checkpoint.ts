import Database from 'better-sqlite3';
import { messageOf, WattwardenError } from '../domain/errors.js';

export interface CheckpointResult {
  readonly walPages: number;
  readonly movedPages: number;
  /** The WAL is longer than it should be, and the next commit does not begin it anew: try again soon. */
  readonly overdue: boolean;
}

/** 16 MiB. A WAL that is longer is begun anew even if a commit must wait for that. */
export const WAL_LIMIT_PAGES = 4_096;
/**
 * The wait for a moment between two commits, and then for readers of old content. While it waits for the latter, and
 * while it moves the few pages written since the passive part, a commit waits too: this long, and two fsyncs.
 */
const RESTART_WAIT_MS = 250;

interface Outcome {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Moves what it can from the WAL into the file; for a worker, because it calls fsync. This makes the writer wait for
 * nothing, but while commits come without a pause, the WAL only ever grows: a commit that falls into the checkpoint
 * keeps it from beginning anew. Beyond the limit that is therefore done with the writer held off for a moment.
 */
export function checkpoint(path: string, limitPages = WAL_LIMIT_PAGES): CheckpointResult {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: RESTART_WAIT_MS });
    const passive = run(db, 'PASSIVE');
    const result = { walPages: passive.log, movedPages: passive.checkpointed, overdue: false };
    if (passive.log <= limitPages) return result;
    const restart = run(db, 'RESTART');
    return { walPages: restart.log, movedPages: restart.checkpointed, overdue: restart.busy !== 0 };
  } catch (error) {
    throw new WattwardenError('buffer.unopenable', `${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    db?.close();
  }
}

function run(db: Database.Database, mode: 'PASSIVE' | 'RESTART'): Outcome {
  const [row] = db.pragma(`wal_checkpoint(${mode})`) as Outcome[];
  return row ?? { busy: 0, log: 0, checkpointed: 0 };
}
