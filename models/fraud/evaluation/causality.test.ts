import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import type { FleetPower } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { scoreFleet } from './theft-scores.js';

const CLEAN = { from: 0, to: 89 };
const FROM = 104;
const THIEF = 2;

/** Meters report more than before besides: from then on nothing seems to be lost, which would close a gate that knew of it. */
function shuffledFrom(fleet: FleetPower, day: number): FleetPower {
  const random = seededRandom(4);
  const from = day * fleet.slotsPerDay;
  const more = (powerW: Float32Array) => powerW.map((watts, slot) => (slot < from ? watts : 2 * watts));
  const meters = fleet.meters.map((meter) => ({ ...meter, powerW: more(shuffled(meter.powerW, { from, random })) }));
  const feeders = fleet.feeders.map((feeder) => ({ ...feeder, powerW: shuffled(feeder.powerW, { from, random }) }));
  return { ...fleet, meters, feeders };
}

function shuffled(powerW: Float32Array, { from, random }: { from: number; random: Random }): Float32Array {
  const after = powerW.slice();
  for (let slot = after.length - 1; slot > from; slot--) {
    const other = from + Math.floor(random() * (slot - from + 1));
    [after[slot], after[other]] = [after[other] as number, after[slot] as number];
  }
  return after;
}

test('a future that is shuffled, of meters and feeders, changes no score of the days before it', () => {
  const whole = createSmallFleet({ meters: 8, feeders: 2, days: 112 });
  // With an open gate, so that suspicions are part of what is compared.
  const fleet = withReport(whole, THIEF, { fromDay: 98, report: (watts) => watts * 0.4 });
  const [before, after] = [scoreFleet(fleet, CLEAN, 1), scoreFleet(shuffledFrom(fleet, FROM), CLEAN, 1)];
  expect(before.feeder[THIEF]?.[FROM - 1]).toBeGreaterThan(0.8);
  for (const of of ['noFeeder', 'feeder'] as const) {
    const [were, are] = [before[of], after[of]];
    expect(are.map((days) => days.slice(0, FROM))).toEqual(were.map((days) => days.slice(0, FROM)));
    expect(are.map((days) => days[FROM])).not.toEqual(were.map((days) => days[FROM]));
  }
});
