import { expect, test } from 'vitest';
import { combine } from '../feeder/combination.js';
import type { FleetMeter } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { scoreFleet } from './theft-scores.js';

const CLEAN = { from: 0, to: 99 };
const STRAY = 3;

test('a meter that no feeder supplies, or one that is not measured, is judged by its own evidence; the balance names the others', () => {
  const whole = createSmallFleet({ meters: 8, feeders: 2, days: 112 });
  const stolen = withReport(whole, 4, { fromDay: 102, report: (watts) => watts * 0.4 });
  const [supplied, unmeasured] = whole.feeders;
  if (supplied === undefined || unmeasured === undefined) throw new Error('no feeders');
  const meters = stolen.meters.map(
    ({ feeder, ...meter }, index): FleetMeter =>
      index === STRAY || feeder === undefined ? meter : { ...meter, feeder },
  );
  const { feeder, noFeeder, isBalanced } = scoreFleet({ ...stolen, meters, feeders: [supplied] }, CLEAN, 1);
  for (const [index, { feeder: name }] of meters.entries()) {
    const [score = Number.NaN, raw = Number.NaN] = [feeder[index]?.[110], noFeeder[index]?.[110]];
    expect(raw).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(score)).toBe(true);
    expect(isBalanced(index, 110)).toBe(name === supplied.feeder);
    if (name !== supplied.feeder) expect(score).toBe(combine({ raw }));
  }
  expect(feeder[4]?.[110]).toBeGreaterThan(0.8);
});

const missing = (from: number, to: number) => (watts: number, slot: number) =>
  slot >= from * 48 && slot < to * 48 ? Number.NaN : watts;

test.each<[string, (watts: number, slot: number) => number]>([
  ['no history', missing(0, 108)],
  ['nothing at all', missing(0, 112)],
  ['nothing but zeros', () => 0],
  ['one value a day', (watts, slot) => (slot % 48 === 12 ? watts : Number.NaN)],
])('a meter with %s on a feeder, and a feeder without meters, disturb no score of others', (_, change) => {
  const whole = createSmallFleet({ meters: 8, feeders: 2, days: 112 });
  const stolen = withReport(whole, 4, { fromDay: 102, report: (watts) => watts * 0.4 });
  const odd = withReport(stolen, STRAY, { fromDay: 0, report: change });
  const empty = { feeder: 'empty', powerW: new Float32Array(112 * 48).fill(300) };
  const { feeder, noFeeder, facts } = scoreFleet({ ...odd, feeders: [...whole.feeders, empty] }, CLEAN, 1);
  for (const meter of odd.meters.keys()) {
    if (meter === STRAY) continue;
    expect(noFeeder[meter]?.[110]).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(feeder[meter]?.[110])).toBe(true);
    expect(facts(meter, 110)?.expectedWh).toBeGreaterThan(0);
  }
  // The other feeder is whole: its thief is named all the same.
  expect(feeder[4]?.[110]).toBeGreaterThan(0.8);
  expect([...(feeder[STRAY] ?? [])].every((score) => Number.isNaN(score) || (score >= 0 && score <= 1))).toBe(true);
});
