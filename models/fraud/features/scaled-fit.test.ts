import { expect, test } from 'vitest';
import { createSmallFleet } from '../generated-fleet.js';
import { learnLevels, levelsOf, scaledFit } from './scaled-fit.js';

const SLOTS = 48;
const [home] = createSmallFleet({ meters: 1, feeders: 1, days: 80 }).meters;
const powerW = home?.powerW ?? new Float32Array();
const dayAt = (day: number) => powerW.subarray(day * SLOTS, (day + 1) * SLOTS);
const usual = learnLevels(Array.from({ length: 60 }, (_, day) => levelsOf(dayAt(day))));
const later = Array.from({ length: 20 }, (_, day) => dayAt(60 + day));

test('a day of which a share is reported becomes usual when it is raised; honest days are so already', () => {
  for (const day of later) {
    const honest = scaledFit(day, usual);
    expect(honest).toBeLessThan(0.1);
    expect(
      scaledFit(
        day.map((watts) => watts * 0.4),
        usual,
      ),
    ).toBeGreaterThan(honest + 0.1);
  }
});

test('nothing stays nothing, whatever it is raised by; and more than usual is never made more', () => {
  expect(scaledFit(new Float32Array(SLOTS), usual)).toBe(0);
  for (const day of later)
    expect(
      scaledFit(
        day.map((watts) => watts * 3),
        usual,
      ),
    ).toBeLessThan(0.05);
});

test('gaps are left out, and a day or a past of gaps fits nothing', () => {
  const gaps = new Float32Array(SLOTS).fill(Number.NaN);
  const low = (later[0] as Float32Array).map((watts) => watts * 0.4);
  const holed = low.map((watts, slot) => (slot % 3 === 0 ? Number.NaN : watts));
  expect(scaledFit(holed, usual)).toBeCloseTo(scaledFit(low, usual), 0);
  expect(scaledFit(gaps, usual)).toBe(0);
  expect(scaledFit(low, learnLevels([levelsOf(gaps)]))).toBeCloseTo(0, 6);
});
