import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { spreadOfQuietestHours } from './quietest-hours.js';

const SLOTS = 48;
const FOUR_HOURS = 8;
const random = seededRandom(3);
const restless = Float64Array.from({ length: SLOTS }, () => 6 + random());

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

test('the least deviation of any four hours, wherever they lie', () => {
  const windows = Array.from({ length: SLOTS - FOUR_HOURS + 1 }, (_, from) =>
    deviation(restless.subarray(from, from + FOUR_HOURS)),
  );
  expect(spreadOfQuietestHours(restless, SLOTS)).toBeCloseTo(Math.min(...windows), 10);
  for (const from of [0, 17, SLOTS - FOUR_HOURS]) {
    const quiet = restless.slice();
    for (let slot = from; slot < from + FOUR_HOURS; slot++) quiet[slot] = 5 + 0.01 * (slot % 2);
    expect(spreadOfQuietestHours(quiet, SLOTS)).toBeCloseTo(0.005, 10);
  }
});

test('flat hours have no spread at all, at any level', () => {
  expect(spreadOfQuietestHours(new Float64Array(SLOTS).fill(Math.log(1e5 / 3)), SLOTS)).toBe(0);
  const after = restless.slice().fill(Math.log(437), 30, 40);
  expect(spreadOfQuietestHours(after, SLOTS)).toBeLessThan(1e-6);
});

test('less than four hours tell nothing', () => {
  expect(spreadOfQuietestHours(restless.subarray(0, FOUR_HOURS - 1), SLOTS)).toBe(Number.POSITIVE_INFINITY);
  expect(spreadOfQuietestHours(restless.subarray(0, FOUR_HOURS), SLOTS)).toBeLessThan(1);
});
