import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import type { FleetFeeder, FleetMeter, FleetPower } from '../fleet-power.js';
import { InputFileError } from './table-file.js';

/** What makes the feeders of a bench as they are in the field. */
export interface Disturbances {
  /** Share of what goes in that the lines lose on average. */
  readonly technicalLoss: number;
  /** Relative standard deviation of each slot of a feeder's meter, and of each of its days as a whole. */
  readonly feederNoise: number;
  readonly dayNoise: number;
  /** So many meters report nothing for two weeks each. */
  readonly missingMeters: number;
  readonly seed: number;
}

/** Iron losses do not depend on the load, errors of meters grow with it, losses in wires with its square. */
const LOSS_PARTS = { constant: 0.2, linear: 0.3, square: 0.5 };
const MISSING_DAYS = 14;

/** The same seed disturbs in the same way. Meters go missing from `testFrom` on. */
export function disturb(fleet: FleetPower, how: Disturbances, testFrom: number): FleetPower {
  const random = seededRandom(how.seed);
  const feeders = fleet.feeders.map((feeder) => disturbFeeder(feeder, { how, random, slotsPerDay: fleet.slotsPerDay }));
  return { ...fleet, feeders, meters: withMissing(fleet, { count: how.missingMeters, random, testFrom }) };
}

function disturbFeeder(
  feeder: FleetFeeder,
  { how, random, slotsPerDay }: { how: Disturbances; random: Random; slotsPerDay: number },
): FleetFeeder {
  const { powerW } = feeder;
  const known = powerW.filter(Number.isFinite);
  const mean = known.reduce((sum, watts) => sum + watts, 0) / known.length;
  const square = known.reduce((sum, watts) => sum + watts * watts, 0) / known.length;
  const { constant, linear } = LOSS_PARTS;
  let today = 0;
  const measured = powerW.map((watts, slot) => {
    if (slot % slotsPerDay === 0) today = how.dayNoise * gaussian(random);
    const loss =
      how.technicalLoss * (constant * mean + linear * watts + (LOSS_PARTS.square * mean * watts * watts) / square);
    return (watts + loss) * (1 + how.feederNoise * gaussian(random)) * (1 + today);
  });
  return { ...feeder, powerW: measured };
}

function withMissing(
  fleet: FleetPower,
  { count, random, testFrom }: { count: number; random: Random; testFrom: number },
): readonly FleetMeter[] {
  const meters = [...fleet.meters];
  if (count > meters.length)
    throw new InputFileError(`--missing-meters: ${count} cannot fall silent, there are ${meters.length}`);
  const silent = new Set<number>();
  while (silent.size < count) {
    const index = Math.floor(random() * meters.length);
    if (silent.has(index)) continue;
    silent.add(index);
    const from = testFrom + Math.floor(random() * Math.max(fleet.days - testFrom - MISSING_DAYS, 1));
    const meter = meters[index];
    if (meter === undefined) continue;
    const powerW = meter.powerW.slice();
    powerW.fill(Number.NaN, from * fleet.slotsPerDay, (from + MISSING_DAYS) * fleet.slotsPerDay);
    meters[index] = { ...meter, powerW };
  }
  return meters;
}

/** Box and Muller's normal deviate. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
