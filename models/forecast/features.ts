import type { EpochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createLayout, FLOAT_BYTES } from '../engine/machine.js';
import { CALENDAR_SIZE, NOWHERE, type Place, writeCalendar } from '../window/calendar.js';
import { pastSlots, WEEK_DAYS } from '../window/slot-windows.js';
import { centreAndScale } from '../window/window-scale.js';
import { ANALOGS, nearnessByTime, USUAL_DAYS, USUAL_MOVES } from './analogs.js';
import type { History, Weather } from './history.js';
import { slotsPerDay } from './horizons.js';
import type { ForecastShape } from './series-history.js';

/** Raised by every change that makes the same history give other numbers; a bundle of another version is refused. */
export const FEATURE_VERSION = 3;

export const PATCH_SLOTS = 12;
export const PATCHES = WINDOW_SLOTS / PATCH_SLOTS;
/** Same time yesterday, mean of the same time over the window's days, same time last week, median of 28 days. */
export const SEASONS = 4;
/** Calendar, level, how much of last week and of the profile is known, temperature of the last and the next day and whether. */
export const CONTEXT_SIZE = CALENDAR_SIZE + 6;

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
  /** [rows, ANALOGS], in scales and shares. */
  readonly analogs: Float32Array;
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
  const desk = createDesk(shape);
  const calendarAt = createCalendar(place);
  const steps = shape.horizons.length;

  function encodeInto(encoded: Encoded, histories: readonly History[], from: number): number {
    const rows = Math.min(encoded.rows, histories.length - from);
    encoded.context.fill(0, 0, rows * CONTEXT_SIZE);
    for (let row = 0; row < rows; row++) {
      const history = histories[from + row] as History;
      desk.encode(encoded, row, history);
      writeContext(encoded, row, { history, known: desk.known, calendar: calendarAt(history.window.endMs) });
    }
    return rows;
  }

  const allocate = (rows: number): Encoded => ({
    rows,
    window: new Float32Array(rows * WINDOW_SLOTS),
    measured: new Float32Array(rows * PATCHES),
    seasons: new Float32Array(rows * SEASONS * steps),
    spread: new Float32Array(rows * steps),
    analogs: new Float32Array(rows * ANALOGS),
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

/** Where the kernels turn one history after the other into a row. */
function createDesk({ slotMinutes, horizons }: ForecastShape) {
  const perDay = slotsPerDay(slotMinutes);
  const slotMs = slotMinutes * 60_000;
  const steps = horizons.length;
  const layout = createLayout();
  const remembered = pastSlots(perDay);
  const pastAt = layout.room(remembered + WINDOW_SLOTS);
  const at = {
    past: pastAt,
    watts: pastAt + remembered * FLOAT_BYTES,
    /** From the slot a week before the first that is forecast. */
    week: pastAt + (remembered + WINDOW_SLOTS - WEEK_DAYS * perDay) * FLOAT_BYTES,
    median: layout.room(perDay),
    width: layout.room(perDay),
    window: layout.room(WINDOW_SLOTS),
    measured: layout.room(PATCHES),
    seasons: layout.room(SEASONS * steps),
    spread: layout.room(steps),
    analogs: layout.room(ANALOGS),
    sorted: layout.room(USUAL_DAYS),
    /** Two numbers of eight bytes. */
    known: layout.room(2 * 2),
  };
  const spans = layout.constant(Int32Array.from(horizons.flatMap(({ offset, slots }) => [offset, slots])));
  const nearness = layout.constant(nearnessByTime(perDay));
  const { kernels, floats, doubles } = layout.build();
  const past = floats(at.past, remembered);
  const watts = floats(at.watts, WINDOW_SLOTS);
  const median = floats(at.median, perDay);
  const width = floats(at.width, perDay);
  const window = floats(at.window, WINDOW_SLOTS);
  const measured = floats(at.measured, PATCHES);
  const seasons = floats(at.seasons, SEASONS * steps);
  const spread = floats(at.spread, steps);
  const analogs = floats(at.analogs, ANALOGS);
  const slots = remembered + WINDOW_SLOTS;

  return {
    /** For what share of the steps of the last history its last week and its profile are known. */
    known: doubles(at.known, 2),
    encode(encoded: Encoded, row: number, history: History): void {
      const { values, endMs } = history.window;
      const { centre, scale, min, present } = centreAndScale(values);
      const perWatt = 1 / scale;
      watts.set(values);
      kernels.normalise(at.watts, at.window, WINDOW_SLOTS, centre, perWatt);
      if (present < WINDOW_SLOTS) {
        kernels.fillGaps(at.window, WINDOW_SLOTS, at.measured, PATCH_SLOTS, INTERPOLATED_GAP_SLOTS);
      } else measured.fill(1);
      layBefore(history.past, past);
      lay(history.profileMedian, median);
      lay(history.profileSpread, width);
      const slotOfDay = ((Math.floor(endMs / slotMs) % perDay) + perDay) % perDay;
      kernels.seasons(
        at.window,
        WINDOW_SLOTS,
        perDay,
        at.week,
        at.median,
        at.width,
        slotOfDay,
        spans,
        steps,
        centre,
        perWatt,
        LARGEST_SPREAD,
        at.seasons,
        at.spread,
        at.known,
      );
      kernels.analogs(at.past, slots, nearness, scale, at.analogs);
      kernels.usualMoves(at.past, slots, perDay, USUAL_DAYS, scale, at.sorted, at.analogs + USUAL_MOVES * FLOAT_BYTES);
      encoded.window.set(window, row * WINDOW_SLOTS);
      encoded.measured.set(measured, row * PATCHES);
      encoded.seasons.set(seasons, row * SEASONS * steps);
      encoded.spread.set(spread, row * steps);
      encoded.analogs.set(analogs, row * ANALOGS);
      encoded.centreW[row] = centre;
      encoded.scaleW[row] = scale;
      encoded.neverNegative[row] = min >= 0 ? 1 : 0;
    },
  };
}

/** What a history does not say is missing. */
function lay(values: Float32Array | undefined, to: Float32Array): void {
  if (values === undefined) to.fill(Number.NaN);
  else if (values.length >= to.length) to.set(values.length === to.length ? values : values.subarray(0, to.length));
  else {
    to.set(values);
    to.fill(Number.NaN, values.length);
  }
}

/** Up to the window's beginning: of a shorter past the oldest slots are missing. */
function layBefore(values: Float32Array | undefined, to: Float32Array): void {
  const known = values === undefined ? 0 : Math.min(values.length, to.length);
  to.fill(Number.NaN, 0, to.length - known);
  if (values !== undefined) to.set(values.length === known ? values : values.subarray(-known), to.length - known);
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
  { history, known, calendar }: { history: History; known: ArrayLike<number>; calendar: Float32Array },
): void {
  const base = row * CONTEXT_SIZE;
  context.set(calendar, base);
  const more = base + CALENDAR_SIZE;
  const level = (centreW[row] as number) / (scaleW[row] as number) / LEVEL_UNIT;
  context[more] = level / (1 + Math.abs(level));
  context[more + 1] = known[0] as number;
  context[more + 2] = known[1] as number;
  const weather: Weather | undefined = history.weather;
  if (weather === undefined) return;
  context[more + 3] = limited((weather.lastDayC - MIDDLE_C) / SPAN_C);
  context[more + 4] = limited((weather.nextDayC - MIDDLE_C) / SPAN_C);
  context[more + 5] = 1;
}

/** Four spans either way: no weather is hotter, a broken sensor is. */
const limited = (value: number): number => (Number.isFinite(value) ? Math.min(Math.max(value, -4), 4) : 0);
