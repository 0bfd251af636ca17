import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { CALENDAR_SIZE, NOWHERE, type Place, writeCalendar } from '../window/calendar.js';
import type { History, Weather } from './history.js';
import { type ForecastRow, type Horizon, MEDIAN, QUANTILES, slotsPerDay } from './horizons.js';
import type { ForecastShape } from './series-history.js';

/** Raised by every change that makes the same history give other numbers; a bundle of another version is refused. */
export const FEATURE_VERSION = 2;

export const PATCH_SLOTS = 12;
export const PATCHES = WINDOW_SLOTS / PATCH_SLOTS;
/** Same time yesterday, mean of the same time over the window's days, same time last week, median of 28 days. */
export const SEASONS = 4;
/** Calendar, level, how much of last week and of the profile is known, temperature of the last and the next day and whether. */
export const CONTEXT_SIZE = CALENDAR_SIZE + 6;

/** An empty flat must not blow up: its noise of a few watts counts as that, not as a pattern. */
const SCALE_FLOOR_W = 10;
/** Nor must a steady load, where the last digit is all that moves. */
const SCALE_FLOOR_SHARE = 0.02;
/** Longer gaps are filled with the window's centre: a straight line across half a day would be an invention. */
const INTERPOLATED_GAP_SLOTS = 12;
/** float32 ends here; beyond what a meter can mean, but a result is never infinite. */
const LARGEST_W = 3e38;
/** In scales; a profile that is wilder says no more than one that is that wild. */
const LARGEST_SPREAD = 4;
const LEVEL_UNIT = 5;
const MIDDLE_C = 15;
const SPAN_C = 10;

/** Histories as the network takes them, row by row, with what turns its answers back into watts. */
export interface Encoded {
  readonly rows: number;
  /** [rows, WINDOW_SLOTS], normalised, gaps filled. */
  readonly window: Float32Array;
  /** [rows, PATCHES], the share of each patch that was measured. */
  readonly measured: Float32Array;
  /** [rows, SEASONS, steps], normalised; what is not known is taken from what is. */
  readonly seasons: Float32Array;
  /** [rows, steps], in scales. */
  readonly spread: Float32Array;
  /** [rows, CONTEXT_SIZE] at the window's end. */
  readonly context: Float32Array;
  readonly centreW: Float64Array;
  readonly scaleW: Float64Array;
  /** 1 where nothing measured was below zero: the forecast of such a meter is not negative either. */
  readonly neverNegative: Uint8Array;
}

export interface Encoder {
  readonly shape: ForecastShape;
  /** The one way from slots to the network's inputs, in training and on the gateway. */
  encode(histories: readonly History[]): Encoded;
  /** Room for so many rows, to be written over and over. */
  allocate(rows: number): Encoded;
  /** Fills the first rows with the histories from `from` on; returns how many there are. */
  encodeInto(encoded: Encoded, histories: readonly History[], from: number): number;
}

export function createEncoder(shape: ForecastShape, place: Place = NOWHERE): Encoder {
  const seasons = createSeasons(shape);
  const steps = shape.horizons.length;

  function encodeInto(encoded: Encoded, histories: readonly History[], from: number): number {
    const rows = Math.min(encoded.rows, histories.length - from);
    encoded.window.fill(0, 0, rows * WINDOW_SLOTS);
    encoded.context.fill(0, 0, rows * CONTEXT_SIZE);
    for (let row = 0; row < rows; row++) {
      const history = histories[from + row] as History;
      encodeWindow(encoded, row, history.window.values);
      const known = seasons.write(encoded, row, history);
      writeContext(encoded, row, { history, known, place });
    }
    return rows;
  }

  const allocate = (rows: number): Encoded => ({
    rows,
    window: new Float32Array(rows * WINDOW_SLOTS),
    measured: new Float32Array(rows * PATCHES),
    seasons: new Float32Array(rows * SEASONS * steps),
    spread: new Float32Array(rows * steps),
    context: new Float32Array(rows * CONTEXT_SIZE),
    centreW: new Float64Array(rows),
    scaleW: new Float64Array(rows),
    neverNegative: new Uint8Array(rows),
  });

  return {
    shape,
    allocate,
    encodeInto,
    encode(histories) {
      const encoded = allocate(histories.length);
      encodeInto(encoded, histories, 0);
      return encoded;
    },
  };
}

function encodeWindow({ window, measured, ...encoded }: Encoded, row: number, values: Float32Array): void {
  const { centre, scale, min } = centreAndScale(values);
  encoded.centreW[row] = centre;
  encoded.scaleW[row] = scale;
  encoded.neverNegative[row] = min >= 0 ? 1 : 0;
  const base = row * WINDOW_SLOTS;
  const patches = row * PATCHES;
  let last = -1;
  for (let patch = 0; patch < PATCHES; patch++) {
    let count = 0;
    for (let slot = patch * PATCH_SLOTS; slot < (patch + 1) * PATCH_SLOTS; slot++) {
      const value = values[slot] as number;
      if (!Number.isFinite(value)) continue;
      window[base + slot] = (value - centre) / scale;
      count += 1;
      if (last !== slot - 1) fillGap(window, base, last, slot);
      last = slot;
    }
    measured[patches + patch] = count / PATCH_SLOTS;
  }
  fillGap(window, base, last, WINDOW_SLOTS);
}

/** Fills what lies between two measured slots; -1 and WINDOW_SLOTS stand for the window's ends. */
function fillGap(window: Float32Array, base: number, before: number, after: number): void {
  const missing = after - before - 1;
  if (missing === 0 || missing > INTERPOLATED_GAP_SLOTS) return;
  if (before < 0 && after === WINDOW_SLOTS) return;
  const right = window[base + (after === WINDOW_SLOTS ? before : after)] as number;
  const left = before < 0 ? right : (window[base + before] as number);
  for (let step = 1; step <= missing; step++) {
    window[base + before + step] = left + ((right - left) * step) / (missing + 1);
  }
}

/**
 * Mean and mean absolute deviation: one spike in a day moves either by a few watts, and both come from two passes
 * without sorting.
 */
export function centreAndScale(values: Float32Array): { centre: number; scale: number; min: number } {
  let sum = 0;
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
    if (value < min) min = value;
  }
  if (count === 0) return { centre: 0, scale: SCALE_FLOOR_W, min: 0 };
  const centre = sum / count;
  let deviation = 0;
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (Number.isFinite(value)) deviation += Math.abs(value - centre);
  }
  const scale = Math.max(deviation / count, Math.abs(centre) * SCALE_FLOOR_SHARE, SCALE_FLOOR_W);
  return { centre, scale, min };
}

/** Shares of the steps for which last week and the profile are known. */
interface KnownSeasons {
  readonly week: number;
  readonly profile: number;
}

function createSeasons({ slotMinutes, horizons }: ForecastShape) {
  const perDay = slotsPerDay(slotMinutes);
  const slotMs = slotMinutes * 60_000;
  const days = Math.floor(WINDOW_SLOTS / perDay);
  const steps = horizons.length;

  return {
    write({ window, seasons, spread, ...encoded }: Encoded, row: number, history: History): KnownSeasons {
      const { weekAgo = NOTHING, profileMedian = NOTHING, profileSpread = NOTHING } = history;
      const base = row * WINDOW_SLOTS + WINDOW_SLOTS - perDay;
      const out = row * SEASONS * steps;
      const centre = encoded.centreW[row] as number;
      const scale = encoded.scaleW[row] as number;
      const slotOfDay = ((Math.floor(history.window.endMs / slotMs) % perDay) + perDay) % perDay;
      let week = 0;
      let profile = 0;
      for (let step = 0; step < steps; step++) {
        const { offset, slots } = horizons[step] as Horizon;
        let recent = 0;
        let yesterday = 0;
        for (let slot = offset; slot < offset + slots; slot++) {
          yesterday += window[base + slot] as number;
          for (let day = 0; day < days; day++) recent += window[base - day * perDay + slot] as number;
        }
        yesterday /= slots;
        recent /= slots * days;
        const lastWeek = (meanOf(weekAgo, offset, slots) - centre) / scale;
        const median = (ringMeanOf(profileMedian, slotOfDay + offset, slots) - centre) / scale;
        const width = ringMeanOf(profileSpread, slotOfDay + offset, slots) / scale;
        const knowsWeek = Number.isFinite(lastWeek);
        const knowsProfile = Number.isFinite(median) && Number.isFinite(width);
        if (knowsWeek) week += 1;
        if (knowsProfile) profile += 1;
        seasons[out + step] = yesterday;
        seasons[out + steps + step] = recent;
        seasons[out + 2 * steps + step] = knowsWeek ? lastWeek : yesterday;
        seasons[out + 3 * steps + step] = knowsProfile ? median : recent;
        spread[row * steps + step] = knowsProfile ? Math.min(width, LARGEST_SPREAD) : 1;
      }
      return { week: week / steps, profile: profile / steps };
    },
  };
}

const NOTHING = new Float32Array(0);

/** Of what is known of the span; NaN when nothing is. */
function meanOf(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  let count = 0;
  for (let slot = from; slot < from + length && slot < values.length; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

/** The same of a day that begins again at its end. */
function ringMeanOf(values: Float32Array, from: number, length: number): number {
  const size = values.length;
  if (size === 0) return Number.NaN;
  const start = from % size;
  if (start + length <= size) return meanOf(values, start, length);
  let sum = 0;
  let count = 0;
  for (let slot = 0; slot < length; slot++) {
    const value = values[(start + slot) % size] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return sum / count;
}

function writeContext(
  { context, centreW, scaleW }: Encoded,
  row: number,
  { history, known, place }: { history: History; known: KnownSeasons; place: Place },
): void {
  const base = row * CONTEXT_SIZE;
  writeCalendar(context, base, history.window.endMs, place);
  const more = base + CALENDAR_SIZE;
  const level = (centreW[row] as number) / (scaleW[row] as number) / LEVEL_UNIT;
  context[more] = level / (1 + Math.abs(level));
  context[more + 1] = known.week;
  context[more + 2] = known.profile;
  const weather: Weather | undefined = history.weather;
  if (weather === undefined) return;
  context[more + 3] = limited((weather.lastDayC - MIDDLE_C) / SPAN_C);
  context[more + 4] = limited((weather.nextDayC - MIDDLE_C) / SPAN_C);
  context[more + 5] = 1;
}

/** Four spans either way: no weather is hotter, a broken sensor is. */
const limited = (value: number): number => (Number.isFinite(value) ? Math.min(Math.max(value, -4), 4) : 0);

/**
 * One row of the network's answers, [QUANTILES, steps] normalised, in watts. `factors`, [steps, QUANTILES], multiply the
 * distances from the median; no quantile passes its neighbour towards the median.
 */
export function decodeRow(
  { centreW, scaleW, neverNegative }: Encoded,
  row: number,
  { answers, factors }: { readonly answers: Float32Array; readonly factors: Float32Array },
): ForecastRow {
  const centre = centreW[row] as number;
  const scale = scaleW[row] as number;
  const lowest = neverNegative[row] === 1 ? 0 : -LARGEST_W;
  const count = factors.length;
  const steps = count / QUANTILES.length;
  const from = row * count;
  const watts = new Float32Array(count);
  for (let step = 0; step < steps; step++) {
    const answer = answers[from + MEDIAN * steps + step] as number;
    const median = Number.isNaN(answer) ? 0 : answer;
    const at = step * QUANTILES.length;
    let distance = 0;
    for (let quantile = MEDIAN; quantile < QUANTILES.length; quantile++) {
      const wanted =
        ((answers[from + quantile * steps + step] as number) - median) * (factors[at + quantile] as number);
      if (wanted > distance) distance = wanted;
      watts[at + quantile] = Math.min(Math.max(centre + scale * (median + distance), lowest), LARGEST_W);
    }
    distance = 0;
    for (let quantile = MEDIAN - 1; quantile >= 0; quantile--) {
      const wanted =
        ((answers[from + quantile * steps + step] as number) - median) * (factors[at + quantile] as number);
      if (wanted < distance) distance = wanted;
      watts[at + quantile] = Math.min(Math.max(centre + scale * (median + distance), lowest), LARGEST_W);
    }
  }
  return { watts };
}
