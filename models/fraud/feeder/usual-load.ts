import { dayOf, type FleetPower } from '../fleet-power.js';
import { type LoadDensity, learnDensity } from './load-density.js';

/** What a meter usually draws, from days on which nothing was lost on its feeder. */
export interface UsualLoad {
  /** Mean power by slot of the day; 0 where nothing is known. */
  readonly profileW: Float64Array;
  readonly density: LoadDensity;
}

export function learnUsualLoad(days: readonly Float32Array[], slotsPerDay: number): UsualLoad {
  const profileW = Float64Array.from({ length: slotsPerDay }, (_, slot) => {
    let sum = 0;
    let known = 0;
    for (const powerW of days) {
      const watts = powerW[slot] as number;
      if (Number.isNaN(watts)) continue;
      sum += watts;
      known += 1;
    }
    return known === 0 ? 0 : sum / known;
  });
  return { profileW, density: learnDensity(days, slotsPerDay) };
}

/** Of a meter, from days of the fleet, newest first. */
export type UsualLoads = (member: number, days: readonly number[]) => UsualLoad;

/** While a loss goes on, the days without one stay the same: each meter's are looked at once. */
export function createUsualLoads({ meters, slotsPerDay }: FleetPower): UsualLoads {
  const learned = new Map<number, { readonly from: string; readonly usual: UsualLoad }>();
  return (member, days) => {
    const from = days.join();
    const known = learned.get(member);
    if (known?.from === from) return known.usual;
    const powerW = meters[member]?.powerW ?? new Float32Array();
    const usual = learnUsualLoad(
      days.map((day) => dayOf(powerW, slotsPerDay, day)),
      slotsPerDay,
    );
    learned.set(member, { from, usual });
    return usual;
  };
}
