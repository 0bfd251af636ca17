import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flagBits } from '../domain/flags.js';
import type { Rejected } from '../domain/rejection.js';
import type { Buffer } from './buffer.js';
import { APPLICATION_ID, MIGRATIONS } from './schema.js';
import { at, type Bench, createBench, meterId, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const refused = (offsetMs: number, more: Partial<Rejected> = {}): Rejected => ({
  receivedAtMs: at(offsetMs),
  topic: 'meters/a/reading',
  payload: new Uint8Array(),
  reason: 'not_json',
  detail: 'why',
  ...more,
});
const quality = (toMs = 10 * DAY, path = bench.path) =>
  [...bench.reader(path).quality({ fromMs: at(0), toMs: at(toMs) })].map(({ day, meter, rule, count, detail }) =>
    `${day} ${meter} ${rule} ${count} ${detail}`.trimEnd(),
  );
const passMinute = (buffer: Buffer, minute: number) => {
  bench.clock.set(at(minute * MINUTE));
  buffer.closeSlots(at(minute * MINUTE), 100);
};

test('what the rules said is counted by day and meter, strangers under one name', () => {
  const buffer = bench.open();
  const back = { flags: flagBits(['register_back', 'tamper']) };
  buffer.commit({
    readings: [reading('a', 0), reading('a', 1, back), reading('b', 0)],
    rejected: [refused(0, { meter: meterId('a') }), refused(0), refused(0, { meter: meterId('stranger') })],
    notes: [{ meter: meterId('a'), flag: 'register_back', detail: 'from 7 to 0 Wh' }],
  });
  buffer.commit({ readings: [reading('a', DAY)], rejected: [refused(DAY, { detail: 'later' })] });
  buffer.close();
  expect(quality()).toEqual([
    '2024-10-04 null not_json 2 why',
    '2024-10-04 a accepted 2',
    '2024-10-04 a not_json 1 why',
    '2024-10-04 a register_back 1 from 7 to 0 Wh',
    '2024-10-04 a tamper 1',
    '2024-10-04 b accepted 1',
    '2024-10-05 null not_json 1 later',
    '2024-10-05 a accepted 1',
  ]);
});

test('counts are written every five minutes in bounded steps, and add up', () => {
  const buffer = bench.open();
  const meters = Array.from({ length: 700 }, (_, index) => `m${index}`);
  const round = (offsetMs: number) =>
    buffer.commit({ readings: meters.map((name) => reading(name, offsetMs)), rejected: [] });
  round(0);
  passMinute(buffer, 1);
  expect(quality()).toHaveLength(500);
  passMinute(buffer, 1);
  expect(quality()).toHaveLength(700);
  round(1_000);
  for (const minute of [1.5, 3, 5.9]) passMinute(buffer, minute);
  expect(quality().filter((row) => row.endsWith(' accepted 2'))).toEqual([]);
  passMinute(buffer, 7);
  passMinute(buffer, 7);
  expect(quality().filter((row) => row.endsWith(' accepted 2'))).toHaveLength(700);
});

test('what the rules said is written once a minute, with all counts of its meter', () => {
  const buffer = bench.open();
  passMinute(buffer, 1);
  buffer.commit({ readings: [reading('a', MINUTE), reading('b', MINUTE)], rejected: [] });
  passMinute(buffer, 1);
  buffer.commit({
    readings: [reading('a', 1.1 * MINUTE), reading('b', 1.1 * MINUTE)],
    rejected: [refused(1.2 * MINUTE, { meter: meterId('a') })],
  });
  passMinute(buffer, 1.9);
  const before = ['2024-10-04 a accepted 1', '2024-10-04 b accepted 1'];
  expect(quality()).toEqual(before);
  passMinute(buffer, 2);
  expect(quality()).toEqual(['2024-10-04 a accepted 2', '2024-10-04 a not_json 1 why', '2024-10-04 b accepted 1']);
  passMinute(buffer, 6);
  expect(quality()).toContain('2024-10-04 b accepted 2');
});

test('a kill loses the counts of the last minutes and nothing else', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  passMinute(buffer, 1);
  buffer.commit({ readings: [reading('a', 1)], rejected: [] });
  const left = bench.killed();
  expect(quality(DAY, left)).toEqual(['2024-10-04 a accepted 1']);
  expect(bench.reader(left).totals().readings).toBe(2);
});

test('what was rolled back is not counted', () => {
  const buffer = bench.open();
  expect(() =>
    buffer.commit({
      readings: [reading('a', 0), reading('a', 1, { powerW: Number.NaN })],
      rejected: [refused(0, { topic: undefined as never })],
    }),
  ).toThrow();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.close();
  expect(quality()).toEqual(['2024-10-04 a accepted 1']);
});

test('counts go when their readings go', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.commit({ readings: [reading('a', 3 * DAY)], rejected: [] });
  buffer.close();
  const again = bench.open();
  expect(again.prune(at(3 * DAY)).quality).toBe(1);
  expect(quality()).toEqual(['2024-10-07 a accepted 1']);
});

test('how often a meter is heard is learned, whatever bursts and outages there are, and survives a restart', () => {
  const buffer = bench.open();
  const hear = (atMs: number) => buffer.commit({ readings: [reading('a', atMs)], rejected: [] });
  expect(buffer.heard(meterId('a'))).toEqual({ atMs: undefined, intervalMs: undefined });
  let now = 0;
  for (let i = 0; i < 20; i += 1) {
    for (const burst of [0, 300, 600]) hear(now + burst);
    now += i === 10 ? 3 * DAY : 15 * MINUTE;
  }
  const { atMs, intervalMs } = buffer.heard(meterId('a'));
  expect(atMs).toBe(at(now - 15 * MINUTE + 600));
  expect(intervalMs).toBe(15 * MINUTE - 600);
  passMinute(buffer, 10_000);
  expect(bench.reader().learnedIntervals()).toEqual(new Map([['a', 15 * MINUTE - 600]]));
  buffer.close();
  expect(bench.open().heard(meterId('a')).intervalMs).toBe(15 * MINUTE - 600);
});

test('the register of a meter that has been quiet for long is remembered', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('quiet', 0, { importWh: 77 })], rejected: [] });
  for (let i = 0; i < 30; i += 1) {
    const readings = Array.from({ length: 1_000 }, (_, n) => reading('busy', 10 * MINUTE + i * 1_000 + n));
    buffer.commit({ readings, rejected: [] });
  }
  passMinute(buffer, 60);
  expect([...buffer.recentReadings({ ofEach: 2, together: 4 })][0]).toMatchObject({ meter: 'quiet', importWh: 77 });
});

test('a file of the first version learns the new tables and keeps its rows', () => {
  const db = new Database(bench.path);
  db.exec(MIGRATIONS[0] ?? '');
  db.exec(`insert into setting values ('log_id', 'log-1'); insert into meter (name, kind) values ('old', 'customer');
    insert into meter_state (meter, last_seq, last_taken_at_ms, newest_slot_ms) values (1, 1, 5, 0)`);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma('user_version = 1');
  db.close();
  const buffer = bench.open();
  expect(buffer.logId).toBe('log-1');
  expect([...buffer.registeredMeters().keys()]).toEqual(['old']);
  buffer.commit({ readings: [reading('old', 0)], rejected: [] });
  buffer.close();
  expect(quality()).toEqual(['2024-10-04 old accepted 1']);
});
