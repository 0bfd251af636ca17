import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { type LogId, logId } from '../domain/brand.js';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import { WAL_LIMIT_PAGES } from './checkpoint.js';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.js';

export type Connection = Database.Database;

/** Longest wait for the moment in which another connection opens or recovers the WAL. */
const LOCK_WAIT_MS = 5_000;

/** The length at which checkpoint.ts begins the WAL anew. */
const WAL_LIMIT_BYTES = WAL_LIMIT_PAGES * 4_096;

/** The writer's connection to the file; creates or migrates it as needed. */
export function openForWriting(path: string): Connection {
  return opening(path, () => {
    const db = new Database(path, { timeout: LOCK_WAIT_MS });
    return orClose(db, () => {
      const version = checkVersion(db, path);
      if (version === 0) {
        refuseForeignFile(db, path);
        // Only possible while the file is empty, and space could never be given back without it.
        db.pragma('auto_vacuum = INCREMENTAL');
      }
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      // A checkpoint calls fsync on the whole file; a worker does that, see checkpoint.ts.
      db.pragma('wal_autocheckpoint = 0');
      // Once begun anew, a WAL that had grown gives its room back.
      db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
      db.transaction(() => migrate(db, version)).immediate();
    });
  });
}

/**
 * Moves a short WAL into the file; a long one is left to the next start, because this thread would wait for it. The last
 * connection to close would do that anyway, and delete the WAL's index, for which a full disk has no room at the next
 * start: so a connection that cannot write is closed after it.
 */
export function closeForWriting(db: Connection): void {
  const wal = statSync(`${db.name}-wal`, { throwIfNoEntry: false });
  let last: Connection | undefined;
  try {
    last = openForReading(db.name);
    // Its place among the connections is taken with its first read.
    last.pragma('user_version');
    if ((wal?.size ?? 0) <= WAL_LIMIT_BYTES) db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // Without room for that, the WAL stays as it is: nothing is lost.
    if (codeOf(error)?.startsWith('SQLITE_') !== true && codeOf(error) !== 'buffer.unopenable') throw error;
  } finally {
    db.close();
    last?.close();
  }
}

/** A connection that cannot write, to a file that is already there. */
export function openForReading(path: string): Connection {
  return opening(path, () => {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: LOCK_WAIT_MS });
    return orClose(db, () => {
      if (checkVersion(db, path) < SCHEMA_VERSION) {
        throw new WattwardenError('buffer.unopenable', `${path}: not a buffer of this version`);
      }
    });
  });
}

export function logIdOf(db: Connection): LogId {
  const value = db.prepare<[], string>(`select value from setting where name = 'log_id'`).pluck().get();
  if (value === undefined) throw new WattwardenError('buffer.unopenable', `${db.name}: the file has no log_id`);
  return logId(value);
}

function opening(path: string, open: () => Connection): Connection {
  try {
    return open();
  } catch (error) {
    if (error instanceof WattwardenError) throw error;
    throw new WattwardenError('buffer.unopenable', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

function orClose(db: Connection, prepare: () => void): Connection {
  try {
    prepare();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function checkVersion(db: Connection, path: string): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  const isOurs = db.pragma('application_id', { simple: true }) === APPLICATION_ID;
  if (version > 0 && !isOurs) throw new WattwardenError('buffer.unopenable', `${path}: another program's database`);
  if (version > SCHEMA_VERSION) {
    throw new WattwardenError('buffer.newer', `${path}: version ${version}, this program knows ${SCHEMA_VERSION}`);
  }
  return version;
}

function refuseForeignFile(db: Connection, path: string): void {
  const tables = db.prepare<[], number>('select count(*) from sqlite_schema').pluck().get() ?? 0;
  if (tables > 0) throw new WattwardenError('buffer.unopenable', `${path}: another program's database`);
}

function migrate(db: Connection, version: number): void {
  for (const sql of MIGRATIONS.slice(version)) db.exec(sql);
  if (version === 0) {
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.prepare('insert into setting (name, value) values (?, ?)').run('log_id', randomUUID());
  }
  if (version < SCHEMA_VERSION) db.pragma(`user_version = ${SCHEMA_VERSION}`);
}
