import { expect, test } from 'vitest';
import { LEVELS, uncalibrated } from '../../models/forecast/calibration.js';
import { type ForecastRow, HIGH, HORIZONS, LOW, MEDIAN, QUANTILES } from '../../models/forecast/horizons.js';
import { createSlotWindows } from '../../models/window/slot-windows.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { seededRandom } from '../domain/clock.js';
import { SLOT_MS } from '../domain/slot.js';
import { createBandWatch } from './band-watch.js';

const START = 1_704_067_200_000;
const at = (slot: number) => epochMs(START + slot * SLOT_MS);
const STEPS = HORIZONS.length;
const LEVEL_W = 1_000;
/** A hundredth of all actuals more for a tenth of the width. */
const calibration = {
  ...uncalibrated(STEPS),
  stretch: Float32Array.from({ length: STEPS * LEVELS.length }, (_, index) => {
    const level = LEVELS[index % LEVELS.length] as number;
    return level < 0.9 ? level / 0.9 : 1 + (level - 0.9) * 10;
  }),
};

/** Bands of `halfW` watts to either side, as far as the factors let them. */
function rowWith(factors: Float32Array, halfW: number): ForecastRow {
  const watts = new Float32Array(STEPS * QUANTILES.length).fill(LEVEL_W);
  for (let step = 0; step < STEPS; step++) {
    for (const [quantile, sign] of [
      [LOW, -1],
      [HIGH, 1],
    ] as const) {
      const index = step * QUANTILES.length + quantile;
      watts[index] = LEVEL_W + sign * halfW * (factors[index] as number);
    }
  }
  return { watts };
}

/** Meters whose load lies anywhere within 100 W of the median; the bands begin at two thirds of what holds nine of ten. */
function live(
  meters: readonly MeterId[],
  slots: number,
  options: { readonly isMissing?: (slot: number) => boolean } = {},
) {
  const random = seededRandom(1);
  const windows = createSlotWindows();
  const watch = createBandWatch(windows, { horizons: HORIZONS, calibration });
  let inside = 0;
  let outside = 0;
  for (let slot = 0; slot < slots; slot++) {
    for (const meter of meters) {
      if (options.isMissing?.(slot) === true) continue;
      windows.put(meter, at(slot), LEVEL_W + (random() * 2 - 1) * 100);
      watch.follow(meter, at(slot + 1), rowWith(watch.factors, 60));
    }
    const outcome = watch.learn();
    // Of the second half, when they have learnt.
    if (slot < slots / 2) continue;
    inside += outcome.inside;
    outside += outcome.outside;
  }
  return { watch, inside, outside };
}

const many = Array.from({ length: 40 }, (_, index) => `m-${index}` as MeterId);

test('bands that are too narrow widen until they hold nine of ten, at every single slot of the next hour', () => {
  const { watch, inside, outside } = live(many, 20 * 288);
  expect(inside / (inside + outside)).toBeGreaterThan(0.88);
  for (let step = 0; step < 12; step++) {
    const factor = watch.factors[step * QUANTILES.length + HIGH] as number;
    expect(factor, `step ${step}`).toBeGreaterThan(1.25);
    expect(factor, `step ${step}`).toBeLessThan(1.75);
    expect(watch.factors[step * QUANTILES.length + MEDIAN]).toBe(factor);
  }
});

test('hours of the next day are followed too: means of twelve slots lie well inside, and their bands narrow', () => {
  const { watch } = live(many, 8 * 288);
  for (let step = 12; step < STEPS; step++) expect(watch.missRates[step], `step ${step}`).toBeGreaterThan(0.1);
});

test('each step of a meter is compared once in a day and 25 slots, whatever came in between', () => {
  const windows = createSlotWindows();
  const watch = createBandWatch(windows, { horizons: HORIZONS, calibration });
  const [meter] = many as [MeterId];
  const found: number[] = [];
  for (let slot = 0; found.length < 2 * STEPS && slot < 4 * (288 + 25); slot++) {
    windows.put(meter, at(slot), LEVEL_W);
    watch.follow(meter, at(slot + 1), rowWith(watch.factors, 1));
    const { inside, outside } = watch.learn();
    expect(outside).toBe(0);
    found.push(...new Array<number>(inside).fill(slot));
  }
  expect(found.length).toBe(2 * STEPS);
  const [first = 0] = found;
  // Its turn comes within one; the next slot is known right away, the last hour a day later.
  expect(first).toBeLessThanOrEqual(288 + 25);
  expect(found[STEPS - 1]).toBe(first + 287);
  expect(found[STEPS]).toBeLessThanOrEqual(first + 288 + 25);
});

test('bands of the next day do not swing, however many meters there are', () => {
  const meters = Array.from({ length: 300 }, (_, index) => `m-${index}` as MeterId);
  const windows = createSlotWindows();
  const watch = createBandWatch(windows, { horizons: HORIZONS, calibration });
  const aims: number[] = [];
  for (let slot = 0; slot < 14 * 288; slot++) {
    const row = rowWith(watch.factors, 72);
    for (const [index, meter] of meters.entries()) {
      // For an hour the same, so that its mean is as far out as any slot.
      windows.put(meter, at(slot), LEVEL_W + (seededRandom(index * 4_099 + Math.floor(slot / 12))() * 2 - 1) * 100);
      watch.follow(meter, at(slot + 1), row);
    }
    watch.learn();
    if (slot > 9 * 288) aims.push(watch.missRates[STEPS - 1] as number);
  }
  expect(Math.max(...aims) - Math.min(...aims)).toBeLessThan(0.06);
});

test('meters that were silent together do not stay together', () => {
  const windows = createSlotWindows();
  const watch = createBandWatch(windows, { horizons: HORIZONS, calibration });
  const row = rowWith(watch.factors, 1);
  const compared: number[] = [];
  for (let slot = 0; slot < 7 * 288; slot++) {
    if (slot > 288 && slot < 3 * 288) continue;
    for (const meter of many) {
      windows.put(meter, at(slot), LEVEL_W);
      watch.follow(meter, at(slot + 1), row);
    }
    const { inside } = watch.learn();
    if (slot > 5 * 288) compared.push(inside);
  }
  expect(Math.max(...compared)).toBeLessThan(many.length);
  expect(compared.filter((count) => count > 0).length / compared.length).toBeGreaterThan(0.8);
});

test('what is not known is no miss, and a meter that was silent is watched again', () => {
  const { watch, inside, outside } = live(many, 4 * 288, { isMissing: (slot) => slot % 24 > 3 });
  expect(inside + outside).toBeGreaterThan(0);
  // Four slots of two hours were known: no hour of the day was, by half.
  for (let step = 12; step < STEPS; step++) expect(watch.missRates[step], `step ${step}`).toBe(0.1);
});

test('a watch goes on where an earlier one of the same model stood', () => {
  const { watch } = live(many, 2 * 288);
  const missRates = watch.missRates.slice();
  const again = createBandWatch(createSlotWindows(), { horizons: HORIZONS, calibration, missRates });
  expect(again.factors).toEqual(watch.factors);
  const other = createBandWatch(createSlotWindows(), {
    horizons: HORIZONS,
    calibration,
    missRates: missRates.slice(1),
  });
  expect(other.factors).toEqual(calibration.factors);
});

test('a step that nothing was learnt of goes on as trained', () => {
  const wide = { ...calibration, stretch: calibration.stretch.map((factor) => factor * 1.2) };
  const options = { horizons: HORIZONS, calibration: wide };
  const { missRates } = createBandWatch(createSlotWindows(), options);
  const again = createBandWatch(createSlotWindows(), { ...options, missRates: missRates.slice() });
  expect(again.factors).toEqual(wide.factors);
});
