import { expect, test } from 'vitest';
import { createComingDays } from './coming-days.js';

const MINUTE = 60_000;
const LONG_AFTER = 11 * MINUTE;

test('a day is coming until it was quiet for ten minutes', () => {
  const coming = createComingDays({ isResumed: false });
  coming.heard(1, 0);
  coming.heard(1, 5 * MINUTE);
  expect(coming.has(1, 14 * MINUTE)).toBe(true);
  expect(coming.has(2, 14 * MINUTE)).toBe(false);
  expect(coming.has(1, 15 * MINUTE)).toBe(false);
});

test('a long import takes no more room than a short one, and none of its days is taken for finished', () => {
  const coming = createComingDays({ isResumed: false });
  for (let day = 0; day < 200_000; day += 1) coming.heard(day, MINUTE);
  expect(coming.size).toBeLessThanOrEqual(50_000);
  for (const day of [0, 60_000, 199_999, 300_000]) expect(coming.has(day, 10 * MINUTE)).toBe(true);
  coming.forget(LONG_AFTER);
  expect(coming.size).toBe(0);
  for (const day of [0, 60_000, 199_999]) expect(coming.has(day, LONG_AFTER)).toBe(false);
});

test('after a restart it is not known which days were coming, so all of them may be', () => {
  const coming = createComingDays({ isResumed: true });
  expect(coming.has(1, 20 * MINUTE)).toBe(true);
  expect(coming.has(1, 29 * MINUTE)).toBe(true);
  expect(coming.has(1, 30 * MINUTE)).toBe(false);
});
