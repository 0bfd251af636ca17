import type { EpochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { CALENDAR_SIZE, NOWHERE, type Place, writeCalendar } from '../window/calendar.js';
import { sumOf } from '../window/sum.js';
import type { History, Weather } from './history.js';
import { reachOf, slotsPerDay } from './horizons.js';
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
  const calendarAt = createCalendar(place);
  const steps = shape.horizons.length;

  function encodeInto(encoded: Encoded, histories: readonly History[], from: number): number {
    const rows = Math.min(encoded.rows, histories.length - from);
    encoded.context.fill(0, 0, rows * CONTEXT_SIZE);
    for (let row = 0; row < rows; row++) {
      const history = histories[from + row] as History;
      encodeWindow(encoded, row, history.window.values);
      const known = seasons.write(encoded, row, history);
      writeContext(encoded, row, { history, known, calendar: calendarAt(history.window.endMs) });
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

function encodeWindow(encoded: Encoded, row: number, values: Float32Array): void {
  const { window, measured } = encoded;
  const { centre, scale, min, present } = centreAndScale(values);
  encoded.centreW[row] = centre;
  encoded.scaleW[row] = scale;
  encoded.neverNegative[row] = min >= 0 ? 1 : 0;
  const perWatt = 1 / scale;
  const base = row * WINDOW_SLOTS;
  // Four at a time: the engine looks up where the arrays lie, and how long they are, once for all of them.
  for (let slot = 0; slot < WINDOW_SLOTS; slot += 4) {
    window[base + slot] = ((values[slot] as number) - centre) * perWatt;
    window[base + slot + 1] = ((values[slot + 1] as number) - centre) * perWatt;
    window[base + slot + 2] = ((values[slot + 2] as number) - centre) * perWatt;
    window[base + slot + 3] = ((values[slot + 3] as number) - centre) * perWatt;
  }
  measured.fill(1, row * PATCHES, (row + 1) * PATCHES);
  if (present < WINDOW_SLOTS) fillGaps(encoded, row);
}

/** What is missing in a row's window is not finite there until now. */
function fillGaps({ window, measured }: Encoded, row: number): void {
  const base = row * WINDOW_SLOTS;
  const patches = row * PATCHES;
  let last = -1;
  for (let slot = 0; slot < WINDOW_SLOTS; slot++) {
    if (Number.isFinite(window[base + slot])) {
      if (last !== slot - 1) fillGap(window, base, last, slot);
      last = slot;
      continue;
    }
    window[base + slot] = 0;
    const patch = patches + Math.floor(slot / PATCH_SLOTS);
    measured[patch] = (Math.round((measured[patch] as number) * PATCH_SLOTS) - 1) / PATCH_SLOTS;
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

/** What a window is freed of: its level and its scale in watts; and what it is made of. */
interface WindowScale {
  readonly centre: number;
  readonly scale: number;
  readonly min: number;
  /** Of how many finite values. */
  readonly present: number;
}

/**
 * Mean and mean absolute deviation: one spike in a day moves either by a few watts, and both come from two passes
 * without sorting.
 */
export function centreAndScale(values: Float32Array): WindowScale {
  let known = values;
  let sum = sumOf(known);
  if (!Number.isFinite(sum)) {
    known = finiteOf(values);
    sum = sumOf(known);
  }
  const present = known.length;
  if (present === 0) return { centre: 0, scale: SCALE_FLOOR_W, min: 0, present };
  const centre = sum / present;
  let deviation = 0;
  let min = Number.POSITIVE_INFINITY;
  for (let at = 0; at < present; at++) {
    const value = known[at] as number;
    deviation += Math.abs(value - centre);
    if (value < min) min = value;
  }
  const scale = Math.max(deviation / present, Math.abs(centre) * SCALE_FLOOR_SHARE, SCALE_FLOOR_W);
  return { centre, scale, min, present };
}

const FINITE = new Float32Array(WINDOW_SLOTS);

/** What is not missing, side by side, until the next call. */
function finiteOf(values: Float32Array): Float32Array {
  let count = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    FINITE[count] = value;
    if (Number.isFinite(value)) count += 1;
  }
  return FINITE.subarray(0, count);
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
  const offsets = Int32Array.from(horizons, ({ offset }) => offset);
  const lengths = Int32Array.from(horizons, ({ slots }) => slots);
  const unknownWeek = new Float32Array(reachOf(horizons)).fill(Number.NaN);
  const unknownDay = new Float32Array(perDay).fill(Number.NaN);

  return {
    write({ window, seasons, spread, centreW, scaleW }: Encoded, row: number, history: History): KnownSeasons {
      const { weekAgo = NOTHING, profileMedian = NOTHING, profileSpread = NOTHING } = history;
      const week = weekAgo.length < unknownWeek.length ? unknownWeek : weekAgo;
      const usual = profileMedian.length === perDay ? profileMedian : unknownDay;
      const usualSpread = profileSpread.length === perDay ? profileSpread : unknownDay;
      const base = row * WINDOW_SLOTS + WINDOW_SLOTS - perDay;
      const out = row * SEASONS * steps;
      const centre = centreW[row] as number;
      const perWatt = 1 / (scaleW[row] as number);
      const slotOfDay = ((Math.floor(history.window.endMs / slotMs) % perDay) + perDay) % perDay;
      let weeks = 0;
      let profiles = 0;
      for (let step = 0; step < steps; step++) {
        const offset = offsets[step] as number;
        const slots = lengths[step] as number;
        // What is missing makes its sum NaN; only then is each slot looked at.
        let yesterday = 0;
        let lastWeek = 0;
        let median = 0;
        let width = 0;
        let ofDay = (slotOfDay + offset) % perDay;
        for (let slot = offset; slot < offset + slots; slot++) {
          yesterday += window[base + slot] as number;
          lastWeek += week[slot] as number;
          median += usual[ofDay] as number;
          width += usualSpread[ofDay] as number;
          ofDay = ofDay + 1 === perDay ? 0 : ofDay + 1;
        }
        let recent = yesterday;
        for (let day = 1; day < days; day++) recent += spanSum(window, base - day * perDay + offset, slots);
        const share = 1 / slots;
        yesterday *= share;
        recent *= share / days;
        lastWeek = Number.isFinite(lastWeek) ? lastWeek * share : meanOf(weekAgo, offset, slots);
        median = Number.isFinite(median) ? median * share : ringMeanOf(profileMedian, slotOfDay + offset, slots);
        width = Number.isFinite(width) ? width * share : ringMeanOf(profileSpread, slotOfDay + offset, slots);
        const knowsWeek = Number.isFinite(lastWeek);
        const knowsProfile = Number.isFinite(median + width);
        if (knowsWeek) weeks += 1;
        if (knowsProfile) profiles += 1;
        seasons[out + step] = yesterday;
        seasons[out + steps + step] = recent;
        seasons[out + 2 * steps + step] = knowsWeek ? (lastWeek - centre) * perWatt : yesterday;
        seasons[out + 3 * steps + step] = knowsProfile ? (median - centre) * perWatt : recent;
        spread[row * steps + step] = knowsProfile ? Math.min(width * perWatt, LARGEST_SPREAD) : 1;
      }
      return { week: weeks / steps, profile: profiles / steps };
    },
  };
}

function spanSum(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let at = from; at < from + length; at++) sum += values[at] as number;
  return sum;
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

/** Nearly all meters of a tick stand at the same moment, and one answer serves them. */
function createCalendar(place: Place): (atMs: EpochMs) => Float32Array {
  const calendar = new Float32Array(CALENDAR_SIZE);
  let knownMs = Number.NaN;
  return (atMs) => {
    if (atMs !== knownMs) writeCalendar(calendar, 0, atMs, place);
    knownMs = atMs;
    return calendar;
  };
}

function writeContext(
  { context, centreW, scaleW }: Encoded,
  row: number,
  { history, known, calendar }: { history: History; known: KnownSeasons; calendar: Float32Array },
): void {
  const base = row * CONTEXT_SIZE;
  context.set(calendar, base);
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
