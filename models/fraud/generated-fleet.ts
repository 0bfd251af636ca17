import { epochMs } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import type { FleetPower } from './fleet-power.js';

const SLOTS = 48;

export interface SmallFleetOptions {
  readonly meters?: number;
  readonly feeders?: number;
  readonly days?: number;
  readonly seed?: number;
}

/** For tests and benches: homes with a base load, mornings, evenings and appliances, in half hours; feeders are their exact sums. */
export function createSmallFleet({
  meters = 12,
  feeders = 2,
  days = 120,
  seed = 1,
}: SmallFleetOptions = {}): FleetPower {
  const homes = Array.from({ length: meters }, (_, index) => {
    const random = seededRandom(seed * 1_000 + index);
    const [base, morning, evening] = [40 + 120 * random(), 200 + 500 * random(), 400 + 800 * random()];
    const powerW = Float32Array.from({ length: days * SLOTS }, (__, slot) => {
      const hour = ((slot % SLOTS) * 24) / SLOTS;
      const active = morning * Math.exp(-(((hour - 7.5) / 1.2) ** 2)) + evening * Math.exp(-(((hour - 19) / 2.5) ** 2));
      const appliance = random() < 0.05 ? 1_500 * random() : 0;
      return base * (0.8 + 0.4 * random()) + active * (0.4 + 1.2 * random()) + appliance;
    });
    return { meter: `meter-${index}`, feeder: `${index % feeders}`, powerW };
  });
  return {
    startMs: epochMs(1_704_067_200_000),
    slotsPerDay: SLOTS,
    days,
    meters: homes,
    feeders: Array.from({ length: feeders }, (_, feeder) => {
      const powerW = new Float32Array(days * SLOTS);
      for (const home of homes.filter((one) => one.feeder === `${feeder}`))
        for (const [slot, watts] of home.powerW.entries()) powerW[slot] = (powerW[slot] as number) + watts;
      return { feeder: `${feeder}`, powerW };
    }),
  };
}

/** A copy in which one meter reports something else from a day on; what goes through its feeder stays. */
export function withReport(
  fleet: FleetPower,
  meter: number,
  { fromDay, report }: { readonly fromDay: number; readonly report: (watts: number, slot: number) => number },
): FleetPower {
  const from = fromDay * fleet.slotsPerDay;
  const change = (powerW: Float32Array) => powerW.map((watts, slot) => (slot < from ? watts : report(watts, slot)));
  return {
    ...fleet,
    meters: fleet.meters.map((one, index) => (index === meter ? { ...one, powerW: change(one.powerW) } : one)),
  };
}
