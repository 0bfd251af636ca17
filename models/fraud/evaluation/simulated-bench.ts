import { epochMs } from '../../../agent/domain/brand.js';
import { seededRandom } from '../../../agent/domain/clock.js';
import { DAY_MS } from '../../../agent/domain/slot.js';
import { ATTACK_KINDS, type AttackKind, applyAttack, drawAttack } from '../../fleet/attacks.js';
import { createStreet, type Street } from '../../fleet/street.js';
import { STREET } from '../../fleet/traits.js';
import type { FleetMeter } from '../fleet-power.js';
import { streetSigns } from './street-signs.js';
import type { TheftBench, TheftLabel } from './theft-bench.js';

/** A year of a street, whose second half is the test. */
const YEAR = { firstDay: Date.UTC(2023, 0, 1) / DAY_MS, days: 365, testFromDay: 181 };
/** More of them have panels, vehicles and heat pumps than on most streets: they are what is taken for theft. */
const EQUIPMENT = { ...STREET, solar: 0.12, vehicle: 0.1, heatPump: 0.08 };
const OPTIONS = { customers: 60, feeders: 6, stepMinutes: 30, outagesPerMonth: 1, equipment: EQUIPMENT };
const SLOTS = 48;
/** Three of ten meters on each feeder, so that two often steal at once. */
const THIEVES = 18;
const THEFT_DAYS = 30;
/** Every sixth goes on for longer than what a meter is compared with. */
const LONG = { every: 6, days: 110 };
/** Pairs of honest homes on one feeder whose meters were mixed up at an exchange. */
const SWAPS = 2;
/** So many meters fall silent for two weeks each, unless told otherwise. */
export const SILENT_METERS = 4;

/** A bench, and on which of its days the test begins. */
export interface DatedBench extends TheftBench {
  readonly testFromDay: number;
}

/** From a day on, each of two meters reports what the other home uses. */
export interface Swap {
  readonly meters: readonly [string, string];
  readonly fromDay: number;
}

export interface SimulatedBench extends DatedBench {
  readonly street: Street;
  /** Days of the street count since 1970. */
  readonly streetFromDay: number;
  readonly swaps: readonly Swap[];
}

/**
 * Homes with panels, vehicles, holidays, changes of tenants, outages and swapped meters, on feeders that lose by
 * themselves; ten kinds of theft.
 */
export function simulateBench(seed: number): SimulatedBench {
  const street = createStreet({ ...OPTIONS, seed });
  const random = seededRandom(seed);
  const meters = Array.from({ length: OPTIONS.customers }, (_, customer): FleetMeter => {
    const powerW = year((day) => street.customerW(customer, day));
    const signs = streetSigns({ street, seed, customer, firstDay: YEAR.firstDay, flowsW: powerW });
    return { meter: `home-${customer}`, feeder: `${street.feederOf(customer)}`, powerW, signs };
  });
  const feeders = Array.from({ length: OPTIONS.feeders }, (_, feeder) => ({
    feeder: `${feeder}`,
    powerW: year((day) => street.feederW(feeder, day)),
  }));
  const order = meters.map((_, index) => ({ index, key: random() })).sort((a, b) => a.key - b.key);
  const labels: TheftLabel[] = [];
  for (const [at, { index }] of order.slice(0, THIEVES).entries()) {
    const meter = meters[index] as FleetMeter;
    const days = at % LONG.every === 0 ? LONG.days : THEFT_DAYS;
    const firstDay = YEAR.testFromDay + Math.floor(random() * (YEAR.days - YEAR.testFromDay - days));
    const kind = ATTACK_KINDS[at % ATTACK_KINDS.length] as AttackKind;
    const honest = meter.powerW.subarray(firstDay * SLOTS, (firstDay + days) * SLOTS);
    meter.powerW.set(
      applyAttack({ values: honest, stepsPerDay: SLOTS }, drawAttack(kind, honest, random), random),
      firstDay * SLOTS,
    );
    labels.push({ meter: meter.meter, type: kind, firstDay, lastDay: firstDay + days - 1 });
  }
  const honest = order.slice(THIEVES).map(({ index }) => meters[index] as FleetMeter);
  const swaps = swapMeters(honest, random);
  const fleet = { startMs: epochMs(YEAR.firstDay * DAY_MS), slotsPerDay: SLOTS, days: YEAR.days, meters, feeders };
  return { fleet, labels, testFromDay: YEAR.testFromDay, street, streetFromDay: YEAR.firstDay, swaps };
}

/** Each pair has a feeder of its own, on which its balance shows nothing. */
function swapMeters(honest: readonly FleetMeter[], random: () => number): Swap[] {
  const swaps: Swap[] = [];
  for (let feeder = 0; feeder < SWAPS; feeder++) {
    const [one, other] = honest.filter((meter) => meter.feeder === `${feeder}`);
    if (one === undefined || other === undefined) continue;
    const fromDay = YEAR.testFromDay + Math.floor((random() * (YEAR.days - YEAR.testFromDay)) / 2);
    exchange(one.powerW, other.powerW, fromDay * SLOTS);
    const [ownV, otherV] = [one.signs?.lowestVoltageV, other.signs?.lowestVoltageV];
    if (ownV !== undefined && otherV !== undefined) exchange(ownV, otherV, fromDay);
    swaps.push({ meters: [one.meter, other.meter], fromDay });
  }
  return swaps;
}

/** From that place on. */
function exchange(one: Float32Array, other: Float32Array, from: number): void {
  const kept = one.slice(from);
  one.set(other.subarray(from), from);
  other.set(kept, from);
}

function year(powerOf: (day: number) => ReturnType<Street['customerW']>): Float32Array {
  const powerW = new Float32Array(YEAR.days * SLOTS);
  for (let day = 0; day < YEAR.days; day++) powerW.set(powerOf(YEAR.firstDay + day), day * SLOTS);
  return powerW;
}
