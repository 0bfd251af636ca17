import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkpoint } from './checkpoint.js';
import { at, type Bench, createBench, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

test('a small commit writes the rows, and no counter of rows beside them', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  const wal = () => statSync(`${bench.path}-wal`).size;
  const before = wal();
  buffer.commit({ readings: [reading('a', 1)], rejected: [] });
  expect(wal() - before).toBe(4_096 + 24);
});

test('only a checkpoint moves the WAL, and it works beside the writer and a reader', () => {
  const buffer = bench.open();
  const reader = bench.reader();
  const many = Array.from({ length: 5_000 }, (_, n) => reading('a', n));
  // Beyond the thousand pages at which SQLite would do it by itself.
  for (let n = 0; n < 30; n += 1) buffer.commit({ readings: many, rejected: [] });
  const before = reader.totals();
  expect(before.walBytes).toBeGreaterThan(5_000_000);
  expect(before.fileBytes).toBeLessThan(10_000);
  const { walPages, movedPages } = checkpoint(bench.path);
  expect(movedPages).toBe(walPages);
  expect(movedPages).toBeGreaterThan(1_200);
  expect(reader.totals().fileBytes).toBeGreaterThan(4_000_000);
  for (let n = 0; n < 10; n += 1) buffer.commit({ readings: [reading('a', n)], rejected: [] });
  expect(reader.totals().walBytes).toBe(before.walBytes);
});

test('a WAL over its limit begins anew though a commit falls into every checkpoint', () => {
  const buffer = bench.open();
  const many = Array.from({ length: 5_000 }, (_, n) => reading('a', n));
  for (let n = 0; n < 10; n += 1) buffer.commit({ readings: many, rejected: [] });
  const grown = bench.reader().totals().walBytes;
  expect(checkpoint(bench.path).overdue).toBe(false);
  // Pages in the WAL that are not moved yet are what the passive checkpoint finds when a commit fell into it.
  buffer.commit({ readings: many, rejected: [] });
  expect(checkpoint(bench.path, { limitPages: 100 })).toMatchObject({ overdue: false });
  for (let n = 0; n < 5; n += 1) buffer.commit({ readings: many, rejected: [] });
  expect(bench.reader().totals().walBytes).toBeLessThanOrEqual(grown * 1.2);
  // A reader of old content keeps the WAL, and the writer waits only briefly.
  const old = new Database(bench.path, { readonly: true });
  old.exec('begin');
  old.prepare('select count(*) from reading').get();
  buffer.commit({ readings: many, rejected: [] });
  expect(checkpoint(bench.path, { limitPages: 100 }).overdue).toBe(true);
  old.close();
  expect(checkpoint(bench.path, { limitPages: 100 }).overdue).toBe(false);
});

test('closing leaves a long WAL to the next start, and moves a short one', () => {
  const wal = `${bench.path}-wal`;
  const payload = new Uint8Array(20_000_000);
  const long = { receivedAtMs: at(0), topic: 'meters/x', payload, reason: 'not_json', detail: '' } as const;
  const buffer = bench.open({ maxRejectedBytes: 1e9 });
  buffer.commit({ readings: [reading('a', 0)], rejected: [long] });
  const { size } = statSync(wal);
  buffer.close();
  expect(statSync(wal).size).toBeGreaterThanOrEqual(size);
  const again = bench.open({ maxRejectedBytes: 1e9 });
  const reader = bench.reader();
  expect(reader.readings({ limit: 9 })).toHaveLength(1);
  checkpoint(bench.path);
  again.commit({ readings: [reading('a', 1_000)], rejected: [] });
  expect(statSync(wal).size).toBeLessThan(size);
  reader.close();
  again.close();
  expect(statSync(wal).size).toBe(0);
  // For which a full disk would have no room.
  expect(existsSync(`${bench.path}-shm`)).toBe(true);
});
