import { expect, test } from 'vitest';
import type { FleetMeter, FleetPower } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { evaluateTheft } from './theft-eval.js';
import { detectionDay, measureEpisodes, rankMeters } from './visits.js';

const NOTHING = { technicalLoss: 0, feederNoise: 0, dayNoise: 0, missingMeters: 0, seed: 1 };
const TEST_FROM = 100;
const THIEF = 4;
const NEIGHBOUR = 6;
const label = { meter: `meter-${THIEF}`, type: 'share', firstDay: 105, lastDay: 119 };

const whole = createSmallFleet({ meters: 12, feeders: 2, days: 120 });
const stolen = withReport(whole, THIEF, { fromDay: label.firstDay, report: (watts) => watts * 0.1 });
const evaluate = (fleet: FleetPower, labels = [label], testFromDay = TEST_FROM) =>
  evaluateTheft({ bench: { fleet, labels }, testFromDay, disturbances: NOTHING });

const silentFrom = (day: number): FleetPower =>
  withReport(stolen, NEIGHBOUR, { fromDay: day, report: () => Number.NaN });
const withoutFeeder: FleetPower = {
  ...stolen,
  meters: stolen.meters.map(
    ({ feeder, ...meter }, index): FleetMeter =>
      index === THIEF || feeder === undefined ? meter : { ...meter, feeder },
  ),
  // What no registered customer takes is not on a feeder either.
  feeders: stolen.feeders.filter(({ feeder }) => feeder !== stolen.meters[THIEF]?.feeder),
};

test.each<[string, FleetPower]>([
  ['whose balance speaks', stolen],
  ['that abstains since a neighbour fell silent', silentFrom(label.firstDay - 2)],
  ['that falls silent while the theft goes on', silentFrom(label.firstDay + 1)],
])('a thief on a feeder %s is found, and nobody else', (_, fleet) => {
  const { withFeeder } = evaluate(fleet);
  expect(detectionDay(withFeeder, label)).toBeLessThan(10);
  expect(measureEpisodes(withFeeder)).toMatchObject({ honest_meters_touched_share: 0, thieves_found_share: 1 });
});

test('a thief whom no feeder supplies is found by its own evidence, as without any feeder', () => {
  const { withFeeder, withoutFeeder: alone } = evaluate(withoutFeeder);
  expect(detectionDay(withFeeder, label)).toBe(detectionDay(alone, label));
  expect(detectionDay(alone, label)).toBeLessThan(10);
});

test('a test that is shorter than the worst weeks ranks by the days there are; unknown days speak for a meter', () => {
  const short = withReport(stolen, NEIGHBOUR, { fromDay: 117, report: () => Number.NaN });
  for (const outcome of [evaluate(short).withFeeder, evaluate(short).withoutFeeder]) {
    expect(outcome.test.to - outcome.test.from + 1).toBeLessThan(21);
    expect(rankMeters(outcome)[0]).toBe(label.meter);
  }
});
