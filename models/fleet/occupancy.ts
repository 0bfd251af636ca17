import type { Random } from '../../agent/domain/clock.js';
import { between, gaussian } from './random-stream.js';
import type { Traits } from './traits.js';

/** Half hours of one day. */
export const HALVES = 48;

/** Share of weekdays on which those stay at home who usually leave, and the other way round. */
const UNUSUAL = 0.12;
const LATE_NIGHTS = 0.15;

/** How many of a household are at home and awake, as a share per half hour; weekdays count from Monday, 0. */
export function occupancyOf(traits: Traits, weekday: number, random: Random): Float32Array {
  const weekend = weekday >= 5;
  const late = (weekend ? 1.2 : 0) + 0.4 * gaussian(random);
  const wake = traits.wakeHour + late;
  const sleep =
    traits.sleepHour + (weekend ? 0.7 : 0) + 0.5 * gaussian(random) + (random() < LATE_NIGHTS ? 3 * random() : 0);
  const away = absence(traits, weekday, random);
  const present = new Float32Array(HALVES);
  for (let half = 0; half < HALVES; half++) {
    const hour = half / 2 + 0.25;
    // Who goes to bed after midnight is still up in the first half hours.
    const awake = (hour > wake && hour < sleep) || hour + 24 < sleep;
    const gone = away !== null && hour > away.from && hour < away.to;
    present[half] = awake ? (gone ? away.left : 1) : 0;
  }
  return present;
}

interface Absence {
  readonly from: number;
  readonly to: number;
  readonly left: number;
}

/** Work on weekdays, an outing on some weekends; with several persons somebody often stays. */
function absence(traits: Traits, weekday: number, random: Random): Absence | null {
  const left = traits.persons === 1 ? 0 : random() < 0.35 ? 1 / traits.persons : 0;
  if (weekday >= 5) {
    if (random() > 0.45) return null;
    const from = between(random, 10, 15);
    return { from, to: from + between(random, 1.5, 7), left };
  }
  const usual = random() > UNUSUAL;
  if (traits.homeDays[weekday] === usual) return null;
  const from = traits.leaveHour + 0.3 * gaussian(random);
  return { from, to: traits.returnHour + 0.8 * gaussian(random), left };
}
