import { expect, test } from 'vitest';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { gatherOnsets, ONSET_WIDTH } from './onset.js';

const THIEF = 3;
const FROM = 60;
const fleet = createSmallFleet({ meters: 9, feeders: 1, days: 100 });
const stolen = withReport(fleet, THIEF, { fromDay: FROM, report: (watts) => watts * 0.4 });
const onsetOf = gatherOnsets(stolen);

test('a fall shows on its first day; a week later only its memory is left', () => {
  const level = (day: number) => onsetOf(THIEF, day)[0];
  const remembered = (day: number) => onsetOf(THIEF, day)[ONSET_WIDTH - 1];
  expect(level(FROM)).toBeGreaterThan(0.5);
  expect(Math.abs(level(FROM - 1) ?? 1)).toBeLessThan(0.3);
  expect(Math.abs(level(FROM + 10) ?? 1)).toBeLessThan(0.3);
  expect(remembered(FROM + 10)).toBeGreaterThan(2);
  expect(Math.abs(remembered(FROM - 1) ?? 9)).toBeLessThan(2);
});

test('nothing after a day changes what is said of it', () => {
  const before = gatherOnsets(fleet);
  for (const meter of fleet.meters.keys()) expect(onsetOf(meter, FROM - 1)).toEqual(before(meter, FROM - 1));
});

test('where nothing is known there are zeros, never NaN', () => {
  const silent = withReport(fleet, THIEF, { fromDay: 20, report: (watts, slot) => (slot % 3 ? Number.NaN : watts) });
  const onsets = gatherOnsets(silent);
  expect([...onsets(THIEF, 50)]).toEqual(new Array(ONSET_WIDTH).fill(0));
  expect([...onsets(0, 2), ...onsets(0, 50)].every(Number.isFinite)).toBe(true);
});
