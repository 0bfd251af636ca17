import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logId } from '../domain/brand.js';
import type { Buffer } from './buffer.js';
import { at, type Bench, createBench, fillDisk, meterId, reading, START_MS, upTo } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
const refusal = (n: number) => ({
  receivedAtMs: at(n),
  topic: 'meters/x',
  payload: Uint8Array.of(n),
  reason: 'not_json' as const,
  detail: `${n}`,
});

test('what was committed is there after closing and opening again, under the same log_id', () => {
  const first = bench.open();
  const full = {
    powerW: -12.3,
    importWh: 1e13,
    exportWh: 0,
    voltageV: 230.12,
    currentA: 1.234,
    powerFactor: 0.987,
    frequencyHz: 50.01,
  };
  first.commit({ readings: [reading('a', 0, full), reading('b', 1, {})], rejected: [refusal(7)] });
  first.close();

  const second = bench.open();
  expect(second.logId).toBe(first.logId);
  expect(second.head().seq).toBe(2);
  expect([...second.recentReadings({ ofEach: 8, together: 100 })]).toEqual([
    reading('a', 0, full),
    reading('b', 1, {}),
  ]);
  expect([...second.registeredMeters().keys()].sort()).toEqual(['a', 'b']);
  const reader = bench.reader();
  expect(reader.rejected({ limit: 9 })).toEqual([{ ...refusal(7), payload: globalThis.Buffer.of(7), seq: 1 }]);
  expect(reader.stream('reading', 0, 9).map((row) => [row.seq, row.meter, row.powerDw, row.importDwh])).toEqual([
    [1, 'a', -123, 1e14],
    [2, 'b', null, null],
  ]);
});

test('a second writer is refused while the first one is open, and only so long', () => {
  const first = bench.open();
  expect(() => bench.open()).toThrow(expect.objectContaining({ code: 'buffer.in_use' }));
  first.close();
  bench.open().commit({ readings: [reading('a', 0)], rejected: [] });
});

test('a file of a newer version is refused and left as it is', () => {
  bench.open().close();
  const raw = new Database(bench.path);
  raw.pragma('user_version = 99');
  raw.exec(`update setting set value = '99' where name = 'readable_since'`);
  raw.close();
  expect(() => bench.open()).toThrow(expect.objectContaining({ code: 'buffer.newer' }));
  expect(() => bench.reader()).toThrow(expect.objectContaining({ code: 'buffer.newer' }));
});

test('neither a directory nor a file in a directory that is not there can be opened', () => {
  mkdirSync(join(bench.dir, 'directory'));
  for (const name of ['directory', 'nowhere/buffer.sqlite']) {
    const path = join(bench.dir, name);
    expect(() => bench.open({ path })).toThrow(expect.objectContaining({ code: 'buffer.unopenable' }));
    expect(() => bench.reader(path)).toThrow(expect.objectContaining({ code: 'buffer.unopenable' }));
  }
});

test('a file that is no database is damaged, for whoever asks for no other in its place', () => {
  writeFileSync(bench.path, 'a shopping list '.repeat(1_000));
  expect(() => bench.open()).toThrow(expect.objectContaining({ code: 'buffer.damaged' }));
  expect(() => bench.reader()).toThrow(expect.objectContaining({ code: 'buffer.damaged' }));
});

test("another program's database is refused", () => {
  const raw = new Database(bench.path);
  raw.exec('create table theirs (x)');
  raw.close();
  expect(() => bench.open()).toThrow(expect.objectContaining({ code: 'buffer.unopenable' }));
});

test('a commit that fails stores nothing, forgets what it began and names its error', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  const raw = new Database(bench.path);
  raw.exec(`create trigger full before insert on rejected begin select raise(abort, 'disk full'); end`);
  expect(() => buffer.commit({ readings: [reading('new', 1), reading('a', 2)], rejected: [refusal(1)] })).toThrow(
    expect.objectContaining({ code: 'buffer.write_failed' }),
  );
  raw.exec('drop trigger full');
  raw.close();
  expect(buffer.head().seq).toBe(1);
  expect([...buffer.registeredMeters().keys()]).toEqual(['a']);

  // The number that `new` had for a moment goes to another meter; neither must see the other's readings.
  buffer.commit({ readings: [reading('other', 3, { powerW: 5 }), reading('new', 4, { powerW: 7 })], rejected: [] });
  buffer.closeSlots(at(10 * MINUTE), 100);
  const reader = bench.reader();
  expect(reader.meters().map((meter) => meter.id)).toEqual(['a', 'new', 'other']);
  expect(
    reader
      .stream('slot', 0, 9)
      .map((slot) => [slot.meter, slot.count, slot.meanPowerDw])
      .sort(),
  ).toEqual([
    ['a', 1, 1_000],
    ['new', 1, 70],
    ['other', 1, 50],
  ]);
});

test('sequence numbers go on after the log was dropped, of which the newest row stays', () => {
  const buffer = bench.open({ retentionMs: 60 * MINUTE });
  buffer.commit({ readings: [reading('a', 0), reading('a', 1)], rejected: [] });
  buffer.closeSlots(at(10 * MINUTE), 100);
  expect(buffer.prune(at(61 * MINUTE))).toMatchObject({ readings: 1, more: false });
  expect(buffer.prune(at(61 * MINUTE))).toMatchObject({ readings: 0, more: false });
  const reader = bench.reader();
  expect(reader.totals()).toMatchObject({ readings: 1, slots: 1 });
  buffer.close();
  expect(bench.open().commit({ readings: [reading('a', 2)], rejected: [] })).toEqual({ seq: 3 });
});

test('a commit that failed leaves no number out', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  const bad = { ...reading('a', 1), flags: Number.NaN };
  expect(() => buffer.commit({ readings: [reading('b', 1), bad], rejected: [] })).toThrow();
  expect(buffer.commit({ readings: [reading('b', 2)], rejected: [] })).toEqual({ seq: 2 });
});

test('cursors never go back, do not outrun the log and know their log', () => {
  const buffer = bench.open();
  const reader = bench.reader();
  buffer.commit({ readings: [reading('a', 0), reading('a', 1), reading('a', 2)], rejected: [] });
  const settle = (upTo: number, ofLog = buffer.logId, after = 0) => {
    buffer.settle('reading', { logId: ofLog, ranges: [{ after, upTo }] });
    return reader.settled('reading').ranges;
  };
  expect(reader.backlog().reading).toBe(3);
  expect(settle(2)).toEqual([{ after: 0, upTo: 2 }]);
  expect(settle(1)).toEqual([{ after: 0, upTo: 2 }]);
  expect(settle(3, logId('another'))).toEqual([{ after: 0, upTo: 2 }]);
  expect(reader.backlog().reading).toBe(1);
  expect(settle(1_000)).toEqual([{ after: 0, upTo: 3 }]);
});

test('what the centre has beyond a gap is kept, also across a restart, and joins the rest', () => {
  const first = bench.open();
  first.commit({ readings: Array.from({ length: 10 }, (_, n) => reading('a', n)), rejected: [] });
  const settle = (buffer: Buffer, after: number, end: number) => {
    buffer.settle('reading', { logId: buffer.logId, ranges: [{ after, upTo: end }] });
    const reader = bench.reader();
    return { ranges: reader.settled('reading').ranges, backlog: reader.backlog().reading };
  };
  expect(settle(first, 7, 9)).toEqual({ ranges: [{ after: 7, upTo: 9 }], backlog: 8 });
  first.close();
  const second = bench.open();
  const both = [
    { after: 0, upTo: 2 },
    { after: 7, upTo: 9 },
  ];
  expect(settle(second, 0, 2)).toEqual({ ranges: both, backlog: 6 });
  expect(
    bench
      .reader()
      .stream('reading', 2, 9, 7)
      .map((row) => row.seq),
  ).toEqual([3, 4, 5, 6, 7]);
  const room = fillDisk(bench.path);
  expect(() => settle(second, 2, 7)).toThrow(expect.objectContaining({ code: 'buffer.write_failed' }));
  room();
  expect(settle(second, 0, 1)).toEqual({ ranges: both, backlog: 6 });
  expect(settle(second, 2, 7)).toEqual({ ranges: [{ after: 0, upTo: 9 }], backlog: 1 });
});

test('refused input is kept up to the limit and counted beyond it', () => {
  const buffer = bench.open({ maxRejected: 3 });
  for (let n = 0; n < 8; n += 1) buffer.commit({ readings: [], rejected: [refusal(n)] });
  const reader = bench.reader();
  expect(reader.rejected({ limit: 9 }).map((row) => row.detail)).toEqual(['7', '6', '5']);
  expect(reader.rejected({ limit: 9, reason: 'too_large' })).toEqual([]);
  expect(reader.rejectedCounts()).toMatchObject({ not_json: 8, too_large: 0 });
  expect(reader.totals().rejected).toBe(3);
});

test('refused input is kept up to so many bytes, also across a failed commit and a new opening', () => {
  const limits = { maxRejected: 1_000, maxRejectedBytes: 10_000 };
  const big = (n: number) => ({ ...refusal(n), payload: new Uint8Array(4_000) });
  const buffer = bench.open(limits);
  const details = () =>
    bench
      .reader()
      .rejected({ limit: 99 })
      .map((row) => row.detail);
  for (let n = 0; n < 50; n += 1) buffer.commit({ readings: [], rejected: [refusal(n)] });
  expect(details()).toHaveLength(50);
  for (let n = 50; n < 53; n += 1) buffer.commit({ readings: [], rejected: [big(n)] });
  expect(details()).toEqual(['52', '51']);
  const room = fillDisk(bench.path);
  expect(() => buffer.commit({ readings: [], rejected: [big(0)] })).toThrow();
  room();
  buffer.commit({ readings: [], rejected: [refusal(53)] });
  expect(details()).toEqual(['53', '52', '51']);
  buffer.close();
  const again = bench.open(limits);
  again.commit({ readings: [], rejected: [big(54)] });
  expect(details()).toEqual(['54', '53', '52']);
  again.close();
  expect(bench.open({ ...limits, maxRejectedBytes: 100 }).prune(at(0)).rejected).toBe(3);
});

test('meters from the configuration stand beside those that appeared', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('seen', 0)], rejected: [] });
  const known = [
    { id: meterId('c'), kind: 'customer', feeder: meterId('f'), ratedPowerW: 9_000 },
    { id: meterId('f'), kind: 'feeder' },
    { id: meterId('seen'), kind: 'customer', feeder: meterId('g') },
  ] as const;
  buffer.registerMeters(known);
  buffer.registerMeters(known);
  const expected = [...known.slice(0, 2), { id: 'g', kind: 'feeder' }, known[2]];
  expect(bench.reader().meters()).toEqual(expected);
  expect(Array.from(buffer.registeredMeters().values(), ({ meter }) => meter)).toEqual(expected);
  const raw = new Database(bench.path, { readonly: true });
  expect(raw.prepare('select name, version from meter order by name').raw().all()).toEqual([
    ['c', 2],
    ['f', 1],
    ['g', 1],
    ['seen', 2],
  ]);
  raw.close();
});

test('a reader sees each commit at once, and also when no writer runs', () => {
  const buffer = bench.open();
  const reader = bench.reader();
  for (let n = 1; n <= 3; n += 1) {
    buffer.commit({ readings: [reading('a', n * 1_000, { powerW: n }), reading('b', 0)], rejected: [] });
    expect(reader.head().seq).toBe(2 * n);
    expect(reader.latestReadings().find((row) => row.meter === 'a')?.powerDw).toBe(10 * n);
  }
  buffer.commit({ readings: [reading('a', 500)], rejected: [] });
  expect(reader.latestReadings().find((row) => row.meter === 'a')?.powerDw).toBe(30);
  expect(reader.readings({ limit: 2 }).map((row) => row.seq)).toEqual([7, 6]);
  expect(reader.readings({ meter: meterId('a'), limit: 9, before: reader.head().seq }).map((row) => row.seq)).toEqual([
    5, 3, 1,
  ]);
  reader.close();
  buffer.close();
  expect(bench.reader().readings({ limit: 9 })).toHaveLength(7);
});

test('the last reading of a meter is known though the log has moved far on and the reader is new', () => {
  const buffer = bench.open();
  buffer.commit({
    readings: [reading('quiet', 1_000, { powerW: 1 }), reading('quiet', 500, { powerW: 2 })],
    rejected: [],
  });
  buffer.closeSlots(at(10 * MINUTE), 100);
  buffer.commit({ readings: [reading('loud', 20 * MINUTE)], rejected: [] });
  expect(
    bench
      .reader()
      .latestReadings()
      .map((row) => [row.meter, row.takenAtMs - START_MS])
      .sort(),
  ).toEqual([
    ['loud', 20 * MINUTE],
    ['quiet', 1_000],
  ]);
});

test('the newest rows of each meter come oldest first, and only so many', () => {
  const buffer = bench.open();
  for (let n = 0; n < 50; n += 1) {
    buffer.commit({ readings: n === 0 ? [reading('rare', 0)] : [reading('a', n), reading('b', n)], rejected: [] });
  }
  const rows = [...buffer.recentReadings({ ofEach: 3, together: 100 })];
  expect(rows.map((row) => [row.meter, row.takenAtMs - START_MS])).toEqual([
    ['rare', 0],
    ['a', 47],
    ['b', 47],
    ['a', 48],
    ['b', 48],
    ['a', 49],
    ['b', 49],
  ]);
});

test('on a full disk the buffer opens, is read, and takes readings in again once there is room', () => {
  const one = { readings: [reading('a', 0)], rejected: [] };
  const before = bench.open();
  before.commit(one);
  before.close();
  const room = fillDisk(bench.path);
  const buffer = bench.open();
  const feeder = { id: meterId('f'), kind: 'feeder' } as const;
  buffer.registerMeters([feeder]);
  expect(buffer.registeredMeters().get(feeder.id)?.meter).toEqual(feeder);
  const refused = expect.objectContaining({ code: 'buffer.write_failed' });
  expect(() => buffer.settle('reading', upTo(buffer, 1))).toThrow(refused);
  expect(() => buffer.recordBundle({ state: 'active', version: 'v1', precision: 'int8' }, at(1))).toThrow(refused);
  const next = { readings: [reading('f', 1_000), reading('new', 1_000)], rejected: [] };
  for (let n = 0; n < 2; n += 1) {
    expect(() => buffer.commit(next)).toThrow(refused);
  }
  expect([...buffer.registeredMeters().keys()]).toEqual(['a', 'f']);
  expect(buffer.prune(at(0)).readings).toBe(0);
  expect(bench.reader().readings({ limit: 9 })).toHaveLength(1);
  room();
  expect(buffer.commit(next)).toEqual({ seq: 3 });
  expect(bench.reader().meters()).toContainEqual(feeder);
  buffer.close();
  const raw = new Database(bench.path, { readonly: true });
  expect(raw.prepare('select count(*) from boot where closed_at_ms is not null').pluck().get()).toBe(2);
  expect(raw.prepare('select distinct boot from reading').pluck().all()).toEqual([1, 2]);
  raw.close();
});

test('a buffer closes on a full disk', () => {
  bench.open().close();
  const room = fillDisk(bench.path);
  expect(() => bench.open().close()).not.toThrow();
  room();
});

test('a bundle keeps the last thing that became of it', () => {
  const buffer = bench.open();
  buffer.recordBundle({ state: 'active', version: 'v1', precision: 'int8' }, at(1));
  buffer.recordBundle({ state: 'refused', version: 'v2', code: 'bundle.bad_signature', detail: 'key' }, at(2));
  buffer.recordBundle({ state: 'refused', version: 'v2', code: 'bundle.hash_mismatch', detail: 'file' }, at(3));
  expect(bench.reader().bundles()).toEqual([
    { state: 'refused', version: 'v2', code: 'bundle.hash_mismatch', detail: 'file', atMs: at(3) },
    { state: 'active', version: 'v1', precision: 'int8', atMs: at(1) },
  ]);
});
