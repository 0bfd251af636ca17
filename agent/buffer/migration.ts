import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import { APPLICATION_ID, MIGRATIONS, READABLE_SINCE } from './schema.js';

type Connection = Database.Database;

/** What the migration itself writes, beside the copy. */
const MARGIN_BYTES = 16 * 2 ** 20;

/** Brings the file to the version of this program, all of it or nothing; one that holds something is copied before. */
export function migrate(db: Connection, version: number, migrations = MIGRATIONS): void {
  if (version === migrations.length) return;
  const copy = version === 0 ? undefined : copyBefore(db, migrations.length);
  try {
    db.transaction(() => run(db, version, migrations)).immediate();
  } catch (error) {
    if (version === 0) throw error;
    throw new WattwardenError('buffer.migration_failed', `${db.name}: ${messageOf(error)}`, { cause: error });
  }
  if (copy !== undefined) removeCopies(db.name, copy);
}

function run(db: Connection, version: number, migrations: readonly string[]): void {
  for (const sql of migrations.slice(version)) db.exec(sql);
  const set = db.prepare(
    'insert into setting (name, value) values (?, ?) on conflict do update set value = excluded.value',
  );
  if (version === 0) {
    db.pragma(`application_id = ${APPLICATION_ID}`);
    set.run('log_id', randomUUID());
  }
  set.run('readable_since', String(READABLE_SINCE));
  db.pragma(`user_version = ${migrations.length}`);
}

/** The version from which on programs read this file rightly; of a file that does not say so, its own. */
export function readableSinceOf(db: Connection): number {
  const value = db.prepare<[], string>(`select value from setting where name = 'readable_since'`).pluck().get();
  return Number(value ?? db.pragma('user_version', { simple: true }));
}

/** By the transaction of VACUUM INTO it is consistent whatever else goes on, and it takes no more room than the file. */
function copyBefore(db: Connection, version: number): string {
  const copy = `${db.name}.before-v${version}`;
  const part = `${copy}.part`;
  const { bavail, bsize } = statfsSync(dirname(db.name));
  const neededBytes = bytesOf(db.name) + bytesOf(`${db.name}-wal`) + MARGIN_BYTES;
  if (bavail * bsize < neededBytes) {
    const mib = Math.ceil(neededBytes / 2 ** 20);
    throw new WattwardenError('buffer.no_room', `${copy}: needs ${mib} MiB of free disk`);
  }
  try {
    rmSync(part, { force: true });
    db.prepare('vacuum into ?').run(part);
    renameSync(part, copy);
    return copy;
  } catch (error) {
    rmSync(part, { force: true });
    if (codeOf(error)?.startsWith('SQLITE_CORRUPT') === true) throw error;
    throw new WattwardenError('buffer.migration_failed', `${copy}: ${messageOf(error)}`, { cause: error });
  }
}

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** The copies of earlier migrations; this one's stays until the next succeeds. */
function removeCopies(path: string, except: string): void {
  const prefix = `${basename(path)}.before-v`;
  for (const name of readdirSync(dirname(path))) {
    const file = join(dirname(path), name);
    if (name.startsWith(prefix) && file !== except) rmSync(file, { force: true });
  }
}

let ownTables: readonly string[] | undefined;

/** The tables of this version, from its own migrations; found once: it takes nearly as long as the rest of an opening. */
export function tablesOfThisVersion(): readonly string[] {
  ownTables ??= tablesAfter(MIGRATIONS);
  return ownTables;
}

function tablesAfter(migrations: readonly string[]): readonly string[] {
  const db = new Database(':memory:');
  try {
    for (const sql of migrations) db.exec(sql);
    return db.prepare<[], string>(`select name from sqlite_schema where type = 'table'`).pluck().all();
  } finally {
    db.close();
  }
}
