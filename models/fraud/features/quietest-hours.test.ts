import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { logOf } from './log-power.js';
import { spreadOfQuietestHours } from './quietest-hours.js';

const SLOTS = 48;
const FOUR_HOURS = 8;
const random = seededRandom(3);
const restless = Float32Array.from({ length: SLOTS }, () => 200 + 600 * random());

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

test('the least deviation of any four hours, wherever they lie', () => {
  const windows = Array.from({ length: SLOTS - FOUR_HOURS + 1 }, (_, from) =>
    deviation(Array.from(restless.subarray(from, from + FOUR_HOURS), logOf)),
  );
  expect(spreadOfQuietestHours(restless)).toBeCloseTo(Math.min(...windows), 10);
  for (const from of [0, 17, SLOTS - FOUR_HOURS]) {
    const quiet = restless.slice();
    for (let slot = from; slot < from + FOUR_HOURS; slot++) quiet[slot] = slot % 2 === 0 ? 90 : 100;
    expect(spreadOfQuietestHours(quiet)).toBeCloseTo((logOf(100) - logOf(90)) / 2, 10);
  }
});

test('flat hours have hardly a spread, at any level', () => {
  expect(spreadOfQuietestHours(new Float32Array(SLOTS).fill(1e5 / 3))).toBe(0);
  expect(spreadOfQuietestHours(restless.slice().fill(437, 30, 40))).toBeLessThan(1e-6);
});

test('finer slots say the same, and gaps are left out', () => {
  const fine = Float32Array.from({ length: 6 * SLOTS }, (_, slot) => {
    const watts = restless[Math.floor(slot / 6)] as number;
    return slot % 2 === 0 ? 0.5 * watts : 1.5 * watts;
  });
  expect(spreadOfQuietestHours(fine)).toBeCloseTo(spreadOfQuietestHours(restless), 5);
  const holed = restless.map((watts, slot) => (slot % 5 === 0 ? Number.NaN : watts));
  expect(spreadOfQuietestHours(holed)).toBeGreaterThan(0);
  expect(spreadOfQuietestHours(holed)).toBeLessThan(1);
});

test('less than four hours tell nothing', () => {
  const few = (known: number) => restless.slice().fill(Number.NaN, known);
  expect(spreadOfQuietestHours(few(FOUR_HOURS - 1))).toBe(Number.POSITIVE_INFINITY);
  expect(spreadOfQuietestHours(few(FOUR_HOURS))).toBeLessThan(1);
});
