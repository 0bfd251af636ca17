import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { gatherTextures, TEXTURE_WIDTH } from './texture.js';

const THIEF = 3;
const FROM = 60;
const fleet = createSmallFleet({ meters: 6, feeders: 1, days: 100 });
const honest = gatherTextures(fleet)(THIEF, FROM);
const random = seededRandom(4);
const share = () => 0.1 + 0.7 * random();

const stolen = (report: (watts: number) => number) =>
  gatherTextures(withReport(fleet, THIEF, { fromDay: FROM, report }));
const [LIKENESS, QUIET, DISTANCE] = [0, 1, 2];

test('shares drawn for each slot leave no quiet hours, and no neighbours that are alike', () => {
  const textureOf = stolen((watts) => watts * share());
  const day = textureOf(THIEF, FROM);
  expect(day[LIKENESS]).toBeLessThan((honest[LIKENESS] ?? 0) - 0.05);
  expect(day[QUIET]).toBeGreaterThan((honest[QUIET] ?? 0) + 0.1);
  // A week later the means of the week say so as well, and the difference from what was usual.
  const later = textureOf(THIEF, FROM + 7);
  expect(later[TEXTURE_WIDTH / 4 + QUIET]).toBeGreaterThan((honest[TEXTURE_WIDTH / 4 + QUIET] ?? 0) + 0.1);
  expect(later[TEXTURE_WIDTH / 2 + QUIET]).toBeGreaterThan(0.1);
});

test('shares of a mean are spread evenly', () => {
  const day = stolen(() => 400 * share())(THIEF, FROM);
  expect(day[DISTANCE]).toBeLessThan(0.25);
  expect(Math.abs(day[LIKENESS] ?? 1)).toBeLessThan(0.4);
});

test('a level changes hardly anything: who uses half of everything is no other home', () => {
  const day = stolen((watts) => watts * 0.5)(THIEF, FROM);
  for (const index of [LIKENESS, DISTANCE]) expect(day[index]).toBeCloseTo(honest[index] ?? Number.NaN, 1);
});

test('nothing after a day changes what is said of it', () => {
  const before = gatherTextures(fleet);
  const after = stolen((watts) => watts * share());
  for (const meter of fleet.meters.keys()) expect(after(meter, FROM - 1)).toEqual(before(meter, FROM - 1));
  expect(after(THIEF, FROM)).not.toEqual(before(THIEF, FROM));
});

test('where nothing is known there are zeros, never NaN', () => {
  const silent = withReport(fleet, THIEF, { fromDay: 20, report: (watts, slot) => (slot % 3 ? Number.NaN : watts) });
  const textureOf = gatherTextures(silent);
  expect([...textureOf(THIEF, 50)]).toEqual(new Array(TEXTURE_WIDTH).fill(0));
  const zeros = gatherTextures(withReport(fleet, THIEF, { fromDay: 0, report: () => 0 }));
  expect([...textureOf(0, 0), ...textureOf(0, 50), ...zeros(THIEF, 50)].every(Number.isFinite)).toBe(true);
});
