import { expect, test } from 'vitest';
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
  const { feeder, noFeeder } = scoreFleet({ ...stolen, meters, feeders: [supplied] }, CLEAN, 1);
  for (const [index, { feeder: name }] of meters.entries()) {
    const [score = Number.NaN, raw] = [feeder[index]?.[110], noFeeder[index]?.[110]];
    expect(raw).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(score)).toBe(true);
    if (name !== supplied.feeder) expect(score).toBeLessThan(0.5);
  }
  expect(feeder[4]?.[110]).toBeGreaterThan(0.8);
});
