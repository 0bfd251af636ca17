import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';

export interface CheckpointResult {
  readonly walPages: number;
  readonly movedPages: number;
  /** The WAL is longer than it should be, and the next commit does not begin it anew: try again soon. */
  readonly overdue: boolean;
  /** By this thread to the disk; 0 where the file system does not report it. */
  readonly writtenBytes: number;
}

export interface CheckpointOptions {
  readonly limitPages?: number;
  /** Gives the room of the WAL back to the disk, however short it is. */
  readonly truncate?: boolean;
}

/** 16 MiB. A WAL that is longer is begun anew even if a commit must wait for that. */
export const WAL_LIMIT_PAGES = 4_096;
export const WAL_LIMIT_BYTES = WAL_LIMIT_PAGES * 4_096;
/** Commits that follow each other leave gaps of a fraction of a millisecond: SQLite's own waiting would miss them. */
const GAP_WITHIN_MS = 1_000;
const GAP_POLL_MS = 0.2;
/**
 * How long readers of old content are waited for. A commit that comes meanwhile waits too: at most this long, for the
 * few pages written since the passive part, and for two fsyncs.
 */
const READERS_WAIT_MS = 100;

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
export function checkpoint(
  path: string,
  { limitPages = WAL_LIMIT_PAGES, truncate = false }: CheckpointOptions = {},
): CheckpointResult {
  const before = bytesWrittenByThread();
  const written = (): number => bytesWrittenByThread() - before;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { fileMustExist: true, timeout: READERS_WAIT_MS });
    const passive = run(db, 'PASSIVE');
    if (passive.log <= limitPages && !truncate) {
      return { walPages: passive.log, movedPages: passive.checkpointed, overdue: false, writtenBytes: written() };
    }
    waitForGap(db);
    const { log, checkpointed, busy } = run(db, truncate ? 'TRUNCATE' : 'RESTART');
    return { walPages: log, movedPages: checkpointed, overdue: busy !== 0, writtenBytes: written() };
  } catch (error) {
    const code = codeOf(error) === 'SQLITE_FULL' ? 'buffer.full' : 'buffer.unopenable';
    throw new WattwardenError(code, `${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    db?.close();
  }
}

function run(db: Database.Database, mode: 'PASSIVE' | 'RESTART' | 'TRUNCATE'): Outcome {
  const [row] = db.pragma(`wal_checkpoint(${mode})`) as Outcome[];
  return row ?? { busy: 0, log: 0, checkpointed: 0 };
}

/** Until no commit is under way, or too long: the restart that follows then fails, and is tried again. */
function waitForGap(db: Database.Database): void {
  const sleeping = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + GAP_WITHIN_MS;
  db.pragma('busy_timeout = 0');
  while (isWriting(db) && performance.now() < deadline) Atomics.wait(sleeping, 0, 0, GAP_POLL_MS);
  db.pragma(`busy_timeout = ${READERS_WAIT_MS}`);
}

function isWriting(db: Database.Database): boolean {
  try {
    db.exec('begin immediate; rollback');
    return false;
  } catch (error) {
    if (codeOf(error)?.startsWith('SQLITE_BUSY') === true) return true;
    throw error;
  }
}

/** As the kernel counts it, which is when a page of the file system's cache becomes dirty. */
function bytesWrittenByThread(): number {
  try {
    const io = readFileSync('/proc/thread-self/io', 'utf8');
    return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
  } catch (error) {
    // Systems other than Linux, and containers that hide it.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return 0;
    throw error;
  }
}
