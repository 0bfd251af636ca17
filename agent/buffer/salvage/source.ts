import { existsSync, renameSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { codeOf } from '../../domain/errors.js';
import type { Connection } from '../buffer-file.js';
import { damageOf } from '../damage.js';
import { repairFirstPage } from './first-page.js';

export interface Source {
  readonly db: Connection;
  /** What a person should know of how the file is read. */
  readonly notes: readonly string[];
}

/** Errors named of one check; one is enough to know. */
const MAX_FAULTS = 1;
const LOCK_WAIT_MS = 5_000;

/** Opens a file that was set aside, as much of it as can be read; undefined when nothing can. */
export function openSource(file: string): Source | undefined {
  const notes: string[] = [];
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    return undefined;
  }
  if (repairFirstPage(file) === 'repaired') {
    notes.push(`the first page was destroyed and is replaced; what stood there is in ${file}.first-page`);
  }
  const wal = `${file}-wal`;
  if ((statSync(wal, { throwIfNoEntry: false })?.size ?? 0) > 0 && isForeign(file, wal)) {
    renameSync(wal, `${wal}.left-out`);
    notes.push(`the write-ahead log does not belong to the file and is left out: ${wal}.left-out`);
  }
  const db = openLeniently(file);
  if (db === undefined) return undefined;
  return { db, notes };
}

/**
 * Nothing in a WAL says to which file it belongs, but every frame has a checksum: what it holds is what was written. When
 * the file is whole without it and not with it, or another log, or further back with it, it is another file's.
 */
function isForeign(file: string, wal: string): boolean {
  const together = describe(file);
  renameSync(wal, `${wal}.apart`);
  let alone: Described | undefined;
  try {
    alone = describe(file);
  } finally {
    // Reading alone may have begun a WAL of its own, with nothing in it.
    if (existsSync(`${wal}.apart`)) renameSync(`${wal}.apart`, wal);
  }
  if (alone === undefined) return false;
  if (together === undefined) return alone.isWhole;
  if (together.logId !== alone.logId || together.lastSeq < alone.lastSeq) return true;
  return alone.isWhole && !together.isWhole;
}

interface Described {
  readonly logId: string;
  readonly lastSeq: number;
  readonly isWhole: boolean;
}

function describe(file: string): Described | undefined {
  const db = openLeniently(file);
  if (db === undefined) return undefined;
  try {
    const logId = db.prepare<[], string>(`select value from setting where name = 'log_id'`).pluck().get() ?? '';
    const lastSeq = db.prepare<[], number>(`select max(seq) from reading`).pluck().get() ?? 0;
    const [first] = db.pragma(`quick_check(${MAX_FAULTS})`) as { readonly quick_check: string }[];
    return { logId, lastSeq, isWhole: first?.quick_check === 'ok' };
  } catch (error) {
    // Without its WAL a young file may not even have its tables.
    if (damageOf(error) === undefined && codeOf(error) !== 'SQLITE_ERROR') throw error;
    return undefined;
  } finally {
    db.close();
  }
}

/** A file that is shorter than its header says is refused otherwise. */
function openLeniently(file: string): Connection | undefined {
  let db: Connection | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true, timeout: LOCK_WAIT_MS });
    db.unsafeMode(true);
    db.pragma('writable_schema = ON');
    db.pragma('cell_size_check = ON');
    db.prepare('select count(*) from sqlite_schema').get();
    return db;
  } catch (error) {
    db?.close();
    if (damageOf(error) === undefined) throw error;
    return undefined;
  }
}
