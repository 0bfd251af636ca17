import type { EpochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createLayout, DOUBLE_BYTES, FLOAT_BYTES, placeOf, ROWS } from '../engine/machine.js';
import { CALENDAR_SIZE, NOWHERE, type Place, writeCalendar } from '../window/calendar.js';
import { pastSlots, type Room } from '../window/slot-windows.js';
import { LEVEL_NUMBERS, LEVELS_AT_A_TIME, levelAt, type WindowScale } from '../window/window-scale.js';
import { ANALOG_DESK, ANALOGS, nearnessByTime, USUAL_DAYS, USUAL_MOVES } from './analogs.js';
import type { History, Weather } from './history.js';
import { layRooms, type Placed } from './history-rooms.js';
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
  /** A history that was written into one of them need not be copied. */
  readonly rooms: readonly Room[];
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
    for (let first = 0; first < rows; first += ROWS) {
      const part = histories.slice(from + first, from + Math.min(first + ROWS, rows));
      desk.encode(encoded, first, part);
      for (const [index, history] of part.entries()) {
        const known = desk.known.subarray(index * KNOWN, (index + 1) * KNOWN);
        writeContext(encoded, first + index, { history, known, calendar: calendarAt(history) });
      }
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
    rooms: desk.rooms,
    allocate,
    encodeInto,
    encode(histories) {
      const encoded = allocate(histories.length);
      encodeInto(encoded, histories, 0);
      return encoded;
    },
  };
}

/** For what share of the steps the last week and the profile are known. */
const KNOWN = 2;

/** Where the kernels turn histories into rows. */
function createDesk({ slotMinutes, horizons }: ForecastShape) {
  const perDay = slotsPerDay(slotMinutes);
  const slotMs = slotMinutes * 60_000;
  const steps = horizons.length;
  const slots = pastSlots(perDay) + WINDOW_SLOTS;
  const layout = createLayout();
  const openRooms = layRooms(layout, perDay);
  const at = {
    /** Of each row the place of its window. */
    windows: layout.room(ROWS),
    levels: layout.room((ROWS * LEVEL_NUMBERS * DOUBLE_BYTES) / FLOAT_BYTES),
    finite: layout.room(LEVELS_AT_A_TIME * WINDOW_SLOTS),
    alike: layout.room(ANALOG_DESK),
    sorted: layout.room(USUAL_DAYS),
    known: layout.room((ROWS * KNOWN * DOUBLE_BYTES) / FLOAT_BYTES),
  };
  const rows = {
    window: layout.rows(WINDOW_SLOTS),
    measured: layout.rows(PATCHES),
    seasons: layout.rows(SEASONS * steps),
    spread: layout.rows(steps),
    analogs: layout.rows(ANALOGS),
  };
  const spans = layout.constant(Int32Array.from(horizons.flatMap(({ offset, slots }) => [offset, slots])));
  const nearness = layout.constant(nearnessByTime(perDay));
  const machine = layout.build();
  const { kernels, floats, doubles, integers } = machine;
  const { rooms, place } = openRooms(machine);
  const windows = integers(at.windows, ROWS);
  const levels = doubles(at.levels, ROWS * LEVEL_NUMBERS);
  const known = doubles(at.known, ROWS * KNOWN);
  const made = (Object.keys(rows) as (keyof typeof rows)[]).map((name) => {
    const { at, size } = rows[name];
    return { name, size, values: floats(at, ROWS * size) };
  });

  function encodeRow(row: number, { past, window, week, median, spread }: Placed, endMs: EpochMs): WindowScale {
    const level = levelAt(levels, row * LEVEL_NUMBERS);
    const { centre, scale } = level;
    const perWatt = 1 / scale;
    const normalised = placeOf(rows.window, row);
    const measured = placeOf(rows.measured, row);
    const analogs = placeOf(rows.analogs, row);
    kernels.normalise(window, normalised, WINDOW_SLOTS, centre, perWatt);
    kernels.fillGaps(normalised, WINDOW_SLOTS, measured, PATCH_SLOTS, INTERPOLATED_GAP_SLOTS);
    const slotOfDay = ((Math.floor(endMs / slotMs) % perDay) + perDay) % perDay;
    kernels.seasons(
      normalised,
      WINDOW_SLOTS,
      perDay,
      week,
      median,
      spread,
      slotOfDay,
      spans,
      steps,
      centre,
      perWatt,
      LARGEST_SPREAD,
      placeOf(rows.seasons, row),
      placeOf(rows.spread, row),
      at.known + row * KNOWN * DOUBLE_BYTES,
    );
    kernels.analogs(past, slots, nearness, scale, at.alike, analogs);
    kernels.usualMoves(past, slots, perDay, USUAL_DAYS, scale, at.sorted, analogs + USUAL_MOVES * FLOAT_BYTES);
    return level;
  }

  return {
    rooms,
    /** KNOWN numbers of each row. */
    known,
    /** No more than ROWS histories into the rows from `first` on: all of a row but its context. */
    encode(encoded: Encoded, first: number, histories: readonly History[]): void {
      const places = histories.map(place);
      for (const [row, { window }] of places.entries()) windows[row] = window;
      kernels.levels(at.windows, places.length, WINDOW_SLOTS, at.finite, at.levels);
      for (const [row, placed] of places.entries()) {
        const { centre, scale, min } = encodeRow(row, placed, (histories[row] as History).window.endMs);
        encoded.centreW[first + row] = centre;
        encoded.scaleW[first + row] = scale;
        encoded.neverNegative[first + row] = min >= 0 ? 1 : 0;
      }
      for (const { name, size, values } of made) {
        encoded[name].set(values.subarray(0, places.length * size), first * size);
      }
    },
  };
}

/** Nearly all meters of a tick stand at the same moment, and one answer serves them. */
function createCalendar(usual: Place): (history: History) => Float32Array {
  const calendar = new Float32Array(CALENDAR_SIZE);
  let knownMs = Number.NaN;
  let knownPlace = usual;
  return ({ window: { endMs }, place = usual }) => {
    if (endMs !== knownMs || place !== knownPlace) writeCalendar(calendar, 0, endMs, place);
    knownMs = endMs;
    knownPlace = place;
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
