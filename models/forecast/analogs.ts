import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { pastSlots } from '../window/slot-windows.js';

/**
 * What a meter did the last times that it stood as it stands now, and how it usually goes on at this time of the day: what the
 * next slot is foretold by where neither the newest slots nor the season say it. kernels/analogs.ts computes
 *
 *   how far the moment i is from now: Σ over the newest slots of |x[i - j] - x[now - j]| / (a × scale + b × |x[now - j]|)
 *   how much it counts: 1 / (1 + far²), nothing from three on
 *
 * and, over the moments that are remembered, from the newest back until 128 are alike, of the changes x[i + 1] - x[i] in scales:
 * their mean, how much was found, and the shares that were a change, or a large one, downwards or upwards. Twice: by the two
 * newest slots, where the time of day counts too, and by the five newest. Then comes how the load went on from this time of day
 * on each of the last seven days, and before these their median.
 */
export const USUAL_DAYS = 7;
/** Where the median of the days stands. */
export const USUAL_MOVES = 12;
export const ANALOGS = USUAL_MOVES + 1 + USUAL_DAYS;
/** Room in which the kernel notes down 16 places, and three vectors of four numbers for each. */
export const ANALOG_DESK = 16 + 16 * 12;

/** At the same time of day a moment counts so much more; from an eighth of a day on it counts as any other. */
const SAME_TIME = 10;
const NEAR_SHARE = 8;

/** For each slot that is remembered, by how far its time of day is from that of the newest. */
export function nearnessByTime(perDay: number): Float32Array {
  const slots = pastSlots(perDay) + WINDOW_SLOTS;
  return Float32Array.from({ length: slots }, (_, slot) => {
    const away = (slots - 1 - slot) % perDay;
    return 1 + SAME_TIME * Math.max(0, 1 - (Math.min(away, perDay - away) * NEAR_SHARE) / perDay);
  });
}
