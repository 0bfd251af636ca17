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
