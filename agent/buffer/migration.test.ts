import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mayMount } from '../../tests/kit/mount.js';
import { openForReading } from './buffer-file.js';
import { migrate, readableSinceOf } from './migration.js';
import { APPLICATION_ID, MIGRATIONS, READABLE_SINCE, SCHEMA_VERSION } from './schema.js';
import { at, type Bench, createBench, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

/** A file as a program of that version left it: its own tables, and a reading of each of two meters. */
function fileOfVersion(version: number, path = bench.path): void {
  const db = new Database(path);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  for (const sql of MIGRATIONS.slice(0, version)) db.exec(sql);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${version}`);
  db.exec(`insert into setting (name, value) values ('log_id', '01234567-89ab-cdef-0123-456789abcdef')`);
  db.exec(`insert into meter (id, name, kind) values (1, 'a', 'customer'), (2, 'b', 'customer')`);
  db.exec(`insert into reading (meter, taken_at_ms, time_source, received_at_ms, boot, monotonic_ms, power_dw, flags)
    values (1, ${at(0)}, 0, ${at(0)}, 1, 0, 1000, 0), (2, ${at(1)}, 0, ${at(1)}, 1, 0, 2000, 0)`);
  db.close();
}

const copies = (): readonly string[] => readdirSync(bench.dir).filter((name) => name.includes('.before-v'));

test.each(MIGRATIONS.map((_, index) => index + 1).filter((version) => version < SCHEMA_VERSION))(
  'a file of version %i is migrated with its rows, and a copy from before stays until the next time',
  (version) => {
    fileOfVersion(version);
    const buffer = bench.open();
    expect(buffer.logId).toBe('01234567-89ab-cdef-0123-456789abcdef');
    buffer.commit({ readings: [reading('a', 60_000)], rejected: [] });
    const rows = bench.reader().stream('reading', 0, 10);
    expect(rows.map(({ meter, powerDw }) => [meter, powerDw])).toEqual([
      ['a', 1_000],
      ['b', 2_000],
      ['a', 1_000],
    ]);
    expect(copies()).toEqual([`buffer.sqlite.before-v${SCHEMA_VERSION}`]);
    const before = new Database(`${bench.path}.before-v${SCHEMA_VERSION}`, { readonly: true });
    expect(before.pragma('user_version', { simple: true })).toBe(version);
    expect(before.prepare('select count(*) from reading').pluck().get()).toBe(2);
    before.close();
  },
);

test('a migration that fails leaves the file as it was, and says so', () => {
  const version = SCHEMA_VERSION - 1;
  fileOfVersion(version);
  const db = new Database(bench.path);
  const tables = () => db.prepare('select name, sql from sqlite_schema order by name').all();
  const before = tables();
  const broken = [...MIGRATIONS.slice(0, version), 'create table half (x) strict; create table half (y)'];
  expect(() => migrate(db, version, broken)).toThrow(expect.objectContaining({ code: 'buffer.migration_failed' }));
  expect(tables()).toEqual(before);
  expect(db.pragma('user_version', { simple: true })).toBe(version);
  expect(copies()).toHaveLength(1);
  // The next one that succeeds replaces it.
  migrate(db, version);
  expect(copies()).toHaveLength(1);
  db.close();
  bench.open().close();
});

test.skipIf(!mayMount())('without room for the copy nothing is begun (needs mount)', () => {
  const small = join(bench.dir, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
  try {
    const path = join(small, 'buffer.sqlite');
    fileOfVersion(SCHEMA_VERSION - 1, path);
    expect(() => bench.open({ path })).toThrow(
      expect.objectContaining({
        code: 'buffer.no_room',
        message: expect.stringContaining('MiB of free disk'),
      }),
    );
    const db = new Database(path, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION - 1);
    db.close();
    expect(readdirSync(small).filter((name) => name.includes('.before-v'))).toEqual([]);
  } finally {
    execFileSync('umount', ['-l', small]);
  }
});

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
}

function columnsOf(path: string): ReadonlyMap<string, readonly Column[]> {
  const db = new Database(path, { readonly: true });
  try {
    const tables = db.prepare<[], string>(`select name from sqlite_schema where type = 'table'`).pluck().all();
    return new Map(tables.map((table) => [table, db.pragma(`table_info(${table})`) as Column[]]));
  } finally {
    db.close();
  }
}

const VERSIONS_BEFORE = MIGRATIONS.map((_, index) => index + 1).filter(
  (version) => version >= READABLE_SINCE && version < SCHEMA_VERSION,
);

test.each(VERSIONS_BEFORE)('a program of version %i finds every table and column that it knows', (version) => {
  fileOfVersion(version);
  const known = columnsOf(bench.path);
  bench.open().close();
  const now = columnsOf(bench.path);
  for (const [table, columns] of known) {
    for (const { name, type, pk } of columns) {
      expect(now.get(table), `${table}.${name}: raise READABLE_SINCE in schema.ts`).toContainEqual(
        expect.objectContaining({ name, type, pk }),
      );
    }
  }
});

test('a program of the version before opens a migrated file to read, and refuses one that says it may not', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.close();
  const before = Math.max(READABLE_SINCE, SCHEMA_VERSION - 1);
  const db = openForReading(bench.path, before);
  expect(readableSinceOf(db)).toBe(READABLE_SINCE);
  expect(db.prepare('select count(*) from reading').pluck().get()).toBe(1);
  db.close();
  expect(() => openForReading(bench.path, READABLE_SINCE - 1)).toThrow(
    expect.objectContaining({ code: 'buffer.newer' }),
  );
  expect(existsSync(bench.path) && readFileSync(bench.path).length > 0).toBe(true);
});

test('an anomaly from before circumstances were kept has none', () => {
  fileOfVersion(9);
  const db = new Database(bench.path);
  db.exec(`insert into model (id, version) values (1, 'v1');
    insert into anomaly (meter, slot_start_ms, revision, change_seq, score_e4, raw_score_e4, type, expected_mwh,
      actual_mwh, contributions, sentence, model)
    values (1, ${at(0)}, 1, 1, 8000, 5000, 'low_consumption', 10, 0, '[]', 'Far less than usual.', 1)`);
  db.close();
  bench.open();
  expect(bench.reader().anomalies({ limit: 9 })).toMatchObject([
    { sentence: 'Far less than usual.', circumstances: null },
  ]);
});
