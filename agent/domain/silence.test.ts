import { expect, test } from 'vitest';
import { parseMeterId } from './brand.js';
import { invariant } from './errors.js';
import { type Expectation, type SilenceRules, silentSince } from './silence.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const id = parseMeterId('m1');
invariant(id !== undefined, 'm1 names a meter');
const m1 = id;
/** Noon of the machine's own time zone: hours are those of the place. */
const NOON = new Date(2026, 0, 15, 12).getTime();

const rules = (given: Partial<SilenceRules> = {}, expectation?: Expectation): SilenceRules => ({
  intervals: 4,
  atLeastMs: 15 * MINUTE,
  atMostMs: 48 * HOUR,
  activeHours: { from: 0, to: 24 },
  meters: new Map(expectation === undefined ? [] : [[m1, expectation]]),
  ...given,
});

const quietFor = (ms: number, learnedIntervalMs?: number, nowMs = NOON) => ({
  meter: m1,
  lastMs: nowMs - ms,
  gatewayStartedMs: 0,
  learnedIntervalMs,
});

test.each([
  ['a fast meter is given the least time', 10_000, 15],
  ['a meter of which nothing is known as well', undefined, 15],
  ['a quarter-hourly one four intervals', 15 * MINUTE, 60],
  ['a daily one no more than the most', 24 * HOUR, 48 * 60],
])('%s', (_name, learnedMs, minutes) => {
  expect(silentSince(quietFor(minutes * MINUTE, learnedMs), NOON, rules())).toBeUndefined();
  expect(silentSince(quietFor(minutes * MINUTE + 1, learnedMs), NOON, rules())).toBe(NOON - minutes * MINUTE - 1);
});

test('what is configured goes before what was learned', () => {
  const configured = rules({}, { intervalMs: HOUR });
  expect(silentSince(quietFor(3 * HOUR, MINUTE), NOON, configured)).toBeUndefined();
  expect(silentSince(quietFor(4 * HOUR + 1, MINUTE), NOON, configured)).toBeDefined();
});

test('silence counts from the start of the gateway', () => {
  const heard = { ...quietFor(HOUR), gatewayStartedMs: NOON - 5 * MINUTE };
  expect(silentSince(heard, NOON, rules())).toBeUndefined();
  expect(silentSince({ ...heard, lastMs: undefined }, NOON + 11 * MINUTE, rules())).toBe(NOON - 5 * MINUTE);
});

test('outside of its hours no meter is silent, and in them it counts from their beginning', () => {
  const sun = rules({}, { activeHours: { from: 6, to: 22 } });
  const at = (hour: number, minute = 0) => new Date(2026, 0, 15, hour, minute).getTime();
  const since = (nowMs: number) => silentSince({ ...quietFor(0), lastMs: at(0) - 2 * HOUR }, nowMs, sun);
  expect(since(at(5, 59))).toBeUndefined();
  expect(since(at(6, 10))).toBeUndefined();
  expect(since(at(6, 20))).toBe(at(6));
  expect(since(at(22))).toBeUndefined();
});

test('hours may span midnight', () => {
  const night = rules({ activeHours: { from: 20, to: 4 } });
  const at = (day: number, hour: number) => new Date(2026, 0, day, hour).getTime();
  const since = (nowMs: number) => silentSince({ ...quietFor(0), lastMs: at(15, 12) }, nowMs, night);
  expect(since(at(15, 19))).toBeUndefined();
  expect(since(at(15, 23))).toBe(at(15, 20));
  expect(since(at(16, 3))).toBe(at(15, 20));
  expect(since(at(16, 5))).toBeUndefined();
});
