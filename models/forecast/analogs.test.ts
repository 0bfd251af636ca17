import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { pastSlots } from '../window/slot-windows.js';
import { createEncoder } from './features.js';
import { HORIZONS, horizonsFor, SLOT_WIDTHS, slotsPerDay } from './horizons.js';

const windowOf = (values: ArrayLike<number>) => ({
  endMs: epochMs(1_704_067_200_000),
  values: Float32Array.from(values),
});

/** As kernels/analogs.ts has it, without its order of additions. */
function plainAnalogs(joined: readonly number[], scale: number, perDay: number): number[] {
  const now = joined.length - 1;
  const at = (slot: number) => joined[slot] ?? Number.NaN;
  const width = (back: number) =>
    ([0.07, 0.13, 0.2, 0.3, 0.4][back] ?? 0) * scale +
    ([0.1, 0.15, 0.2, 0.3, 0.4][back] ?? 0) * Math.abs(at(now - back));
  // What is missing now is like any other, but for those that are missing too.
  const away = (moment: number, back: number) =>
    Number.isNaN(at(now - back)) ? 0 * at(moment - back) : Math.abs(at(moment - back) - at(now - back)) / width(back);
  const far = (moment: number, depth: number) =>
    Array.from({ length: depth }, (_, back) => away(moment, back)).reduce((sum, one) => sum + one, 0);
  const change = (moment: number) => (at(moment + 1) - at(moment)) / scale;
  const alike = (moment: number, depth: number) => far(moment, depth) <= 3 && !Number.isNaN(change(moment));
  const moments: number[] = [];
  for (let newest = now - 1, all = 0; newest >= 7 && all < 128; newest -= 4) {
    const four = [newest, newest - 1, newest - 2, newest - 3];
    moments.push(...four);
    all += four.filter((moment) => alike(moment, 2)).length;
  }
  const numbers = [2, 5].flatMap((depth) => {
    const sums = [0, 0, 0, 0, 0, 0];
    for (const moment of moments.filter((one) => alike(one, depth))) {
      const apart = Math.min((now - moment) % perDay, perDay - ((now - moment) % perDay));
      const byTime = depth === 2 ? 1 + 10 * Math.max(0, 1 - (8 * apart) / perDay) : 1;
      const weight = byTime / (1 + far(moment, depth) ** 2);
      const next = change(moment);
      const found = [next, 1, next < -0.25, next < -0.03, next > 0.03, next > 0.25];
      for (const [index, each] of found.entries()) sums[index] = (sums[index] ?? 0) + weight * Number(each);
    }
    const [, weight = 0] = sums;
    return sums.map((sum) => sum / (weight + 1));
  });
  const days = Array.from({ length: 7 }, (_, day) => now - (day + 1) * perDay);
  const moves = days.map((slot) => (at(slot + 1) - at(slot)) / scale);
  const known = moves.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = ((known[known.length >> 1] ?? 0) + (known[(known.length - 1) >> 1] ?? 0)) / 2;
  return [...numbers, middle, ...moves.map((move) => (Number.isNaN(move) ? middle : move))];
}

test.each(SLOT_WIDTHS)('analogs are what followed the moments like now, at slots of %i minutes', (slotMinutes) => {
  const perDay = slotsPerDay(slotMinutes);
  const random = seededRandom(slotMinutes);
  const load = (slot: number) =>
    random() < 0.03 ? Number.NaN : 300 + 250 * Math.sin((slot / perDay) * 2 * Math.PI) + 400 * Number(random() < 0.2);
  const joined = Array.from({ length: pastSlots(perDay) + WINDOW_SLOTS }, (_, slot) => load(slot));
  // Of the five newest one is missing.
  joined.splice(-5, 5, 320, 330, Number.NaN, 340, 310);
  // And of the days before, the second one.
  joined[joined.length - 2 * perDay] = Number.NaN;
  const all = Float32Array.from(joined);
  const history = { window: windowOf(all.subarray(-WINDOW_SLOTS)), past: all.subarray(0, -WINDOW_SLOTS) };
  const { analogs, scaleW } = createEncoder({ slotMinutes, horizons: horizonsFor(slotMinutes) }).encode([history]);
  const expected = plainAnalogs(Array.from(all), scaleW[0] ?? 1, perDay);
  for (const [index, value] of expected.entries()) expect(analogs[index], `number ${index}`).toBeCloseTo(value, 4);
});

test('without a past there are only the moments of the window, and without a newest slot none', () => {
  const encoder = createEncoder({ slotMinutes: 5, horizons: HORIZONS });
  const encode = (values: readonly number[]) => encoder.encode([{ window: windowOf(values) }]);
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => 200 + 100 * (slot % 4));
  const { analogs, scaleW } = encode(load);
  // Every fourth slot is 500 W like the newest, and 200 W come next.
  const found = analogs[7] ?? 0;
  expect(found).toBeGreaterThan(0.9);
  expect(analogs[6]).toBeCloseTo((-300 / (scaleW[0] ?? 1)) * found, 4);
  expect(Array.from(analogs.slice(8, 12))).toEqual([found, found, 0, 0].map((share) => expect.closeTo(share, 5)));
  expect(Array.from(analogs.slice(12))).toEqual(new Array(8).fill(0));
  expect(Array.from(encode([...load.slice(0, -1), Number.NaN]).analogs)).toEqual(new Array(20).fill(0));
});
