import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { type LogId, logId } from '../domain/brand.js';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import { WAL_LIMIT_PAGES } from './checkpoint.js';
import { damageOf } from './damage.js';
import { migrate, readableSinceOf, tablesOfThisVersion } from './migration.js';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.js';

export type Connection = Database.Database;

/** Longest wait for the moment in which another connection opens or recovers the WAL. */
const LOCK_WAIT_MS = 5_000;

/** The length at which checkpoint.ts begins the WAL anew. */
const WAL_LIMIT_BYTES = WAL_LIMIT_PAGES * 4_096;

/**
 * SQLite's own copy of pages, in KB. The library gives each connection 16 MB, which a scan fills and nobody empties; the
 * kernel keeps the file's pages anyway, for all connections together.
 */
const CACHE_KB = 2_000;

/** The writer's connection to the file; creates or migrates it as needed. */
export function openForWriting(path: string): Connection {
  return opening(path, () => {
    // SQLite would open what it may not write for reading only, and say so at the first commit.
    const denied = deniedAt(path);
    if (denied !== undefined) throw new WattwardenError('buffer.no_access', denied);
    const db = new Database(path, { timeout: LOCK_WAIT_MS });
    return orClose(db, () => {
      const version = checkVersion(db, path);
      if (version === 0) {
        refuseFileWithTables(db, path);
        // Only possible while the file is empty, and space could never be given back without it.
        db.pragma('auto_vacuum = INCREMENTAL');
      }
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma(`cache_size = -${CACHE_KB}`);
      // A checkpoint calls fsync on the whole file; a worker does that, see checkpoint.ts.
      db.pragma('wal_autocheckpoint = 0');
      // Once begun anew, a WAL that had grown gives its room back.
      db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
      migrate(db, version);
      lookForTables(db, path);
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

/**
 * For a file that is going to be set aside. A connection that can write would, as the last one, move a WAL that may
 * belong to another file into this one, and delete it; so one that cannot write is closed after it.
 */
export function closeAsItIs(db: Connection): void {
  let last: Connection | undefined;
  try {
    last = new Database(db.name, { readonly: true, fileMustExist: true, timeout: 0 });
    last.pragma('user_version');
  } catch (error) {
    // What cannot be read has no place among the connections; neither then has the one that is closed.
    if (codeOf(error)?.startsWith('SQLITE_') !== true) throw error;
  } finally {
    db.close();
    last?.close();
  }
}

/**
 * A connection that cannot write, to a file that is already there; also to one of a newer version that says that this one
 * (`known`) reads it rightly.
 */
export function openForReading(path: string, known = SCHEMA_VERSION): Connection {
  return opening(path, () => {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: LOCK_WAIT_MS });
    return orClose(db, () => {
      db.pragma(`cache_size = -${CACHE_KB}`);
      const version = checkOwner(db, path);
      if (version > known && readableSinceOf(db) > known) throw newer(path, version, known);
      if (version < known) throw new WattwardenError('buffer.unopenable', `${path}: not a buffer of this version`);
    });
  });
}

export function logIdOf(db: Connection): LogId {
  const value = db.prepare<[], string>(`select value from setting where name = 'log_id'`).pluck().get();
  if (value === undefined) throw new WattwardenError('buffer.damaged', `${db.name}: the file has no log_id`);
  return logId(value);
}

function opening(path: string, open: () => Connection): Connection {
  try {
    return open();
  } catch (error) {
    if (error instanceof WattwardenError) throw error;
    throw openingFault(path, error);
  }
}

/** Why a file cannot be opened, in the words of the table. */
export function openingFault(path: string, error: unknown): WattwardenError {
  const damage = damageOf(error);
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (damage !== undefined && isFile)
    return new WattwardenError('buffer.damaged', `${path}: ${damage}`, { cause: error });
  const denied = deniedAt(path) ?? (codeOf(error)?.startsWith('SQLITE_READONLY') === true ? path : undefined);
  if (denied !== undefined) {
    return new WattwardenError('buffer.no_access', `${denied}: ${messageOf(error)}`, { cause: error });
  }
  return new WattwardenError('buffer.unopenable', `${path}: ${messageOf(error)}`, { cause: error });
}

/** The first of the places that this process would have to write to and may not. */
function deniedAt(path: string): string | undefined {
  return [dirname(path), path, `${path}-wal`, `${path}-shm`].find((place) => {
    if (!existsSync(place)) return false;
    try {
      accessSync(place, constants.R_OK | constants.W_OK);
      return false;
    } catch (error) {
      return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM' || codeOf(error) === 'EROFS';
    }
  });
}

/** A file that is longer already keeps its length. */
export function boundFile(db: Connection, maxBytes: number): void {
  const pageBytes = Number(db.pragma('page_size', { simple: true }));
  db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
}

function orClose(db: Connection, prepare: () => void): Connection {
  try {
    prepare();
    return db;
  } catch (error) {
    if (db.readonly) db.close();
    else closeAsItIs(db);
    throw error;
  }
}

function checkVersion(db: Connection, path: string): number {
  const version = checkOwner(db, path);
  if (version > SCHEMA_VERSION) throw newer(path, version, SCHEMA_VERSION);
  return version;
}

const newer = (path: string, version: number, known: number): WattwardenError =>
  new WattwardenError('buffer.newer', `${path}: version ${version}, this program knows ${known}`);

/** The version of a file that is ours. */
function checkOwner(db: Connection, path: string): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  const isOurs = db.pragma('application_id', { simple: true }) === APPLICATION_ID;
  if (version > 0 && !isOurs) throw foreignOrDamaged(db, path);
  return version;
}

function refuseFileWithTables(db: Connection, path: string): void {
  if (tableNames(db).length > 0) throw foreignOrDamaged(db, path);
}

/** Another program may be at work with its database: it is left alone. One with our tables has lost its header. */
function foreignOrDamaged(db: Connection, path: string): WattwardenError {
  const names = new Set(tableNames(db));
  const isOurs = ['setting', 'meter', 'reading', 'slot'].every((name) => names.has(name));
  if (isOurs) return new WattwardenError('buffer.damaged', `${path}: the header does not fit the tables`);
  return new WattwardenError('buffer.unopenable', `${path}: another program's database`);
}

function lookForTables(db: Connection, path: string): void {
  const names = new Set(tableNames(db));
  const missing = tablesOfThisVersion().filter((name) => !names.has(name));
  if (missing.length === 0) return;
  throw new WattwardenError('buffer.damaged', `${path}: the tables ${missing.join(', ')} are missing`);
}

const tableNames = (db: Connection): readonly string[] =>
  db.prepare<[], string>(`select name from sqlite_schema where type = 'table'`).pluck().all();
