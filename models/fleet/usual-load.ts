import { invariant } from '../../agent/domain/errors.js';
import { DAY_MS } from '../../agent/domain/slot.js';
import type { UsualLoad } from './feeder.js';
import type { Household } from './household.js';

const DAYS_OF_YEAR = 365;

interface Sampling {
  readonly homes: number;
  /** So many that their weekdays differ. */
  readonly days: number;
  readonly stepMinutes: number;
}

/** Peaks and quiet weeks of a few homes are not levelled out by the others: they are looked at more closely. */
const SAMPLINGS: readonly Sampling[] = [
  { homes: 3, days: 120, stepMinutes: 5 },
  { homes: 12, days: 40, stepMinutes: 5 },
  { homes: Number.POSITIVE_INFINITY, days: 12, stepMinutes: 15 },
];

export interface UsualLoadOptions {
  readonly homes: readonly number[];
  /** UTC. */
  readonly year: number;
  /** No finer than what the feeder is asked for: its peaks are what the loss is made of. */
  readonly stepMinutes: number;
  homeOf(number: number, stepMinutes: number): Household;
}

/** What these homes draw over a year, from some of its days. */
export function usualLoad({ homes, year, stepMinutes, homeOf }: UsualLoadOptions): UsualLoad {
  const sampling = SAMPLINGS.find((one) => homes.length <= one.homes);
  invariant(sampling !== undefined, 'the last sampling is for any number of homes');
  const step = Math.max(stepMinutes, sampling.stepMinutes);
  const there = homes.map((number) => homeOf(number, step));
  const newYear = Date.UTC(year, 0, 1) / DAY_MS;
  let [sum, squares] = [0, 0];
  for (let sample = 0; sample < sampling.days; sample++) {
    const day = newYear + Math.floor(((sample + 0.5) * DAYS_OF_YEAR) / sampling.days);
    for (const watts of netOf(there, day, step)) {
      // Lines take their part of what is fed in as well.
      sum += Math.abs(watts);
      squares += watts ** 2;
    }
  }
  const steps = (sampling.days * 1_440) / step;
  return { meanW: sum / steps, meanSquareW2: squares / steps };
}

function netOf(homes: readonly Household[], day: number, stepMinutes: number): Float64Array {
  const net = new Float64Array(1_440 / stepMinutes);
  for (const home of homes) {
    const { consumedW, producedW } = home.day(day);
    for (let step = 0; step < net.length; step++) {
      net[step] = (net[step] ?? 0) + (consumedW[step] ?? 0) - (producedW?.[step] ?? 0);
    }
  }
  return net;
}
