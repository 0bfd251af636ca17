import { energyOfPower, MWH_PER_DW_MS } from './slot-accumulator.js';
import { type Column, type Guess, NULL, packColumn, unpackColumn } from './slot-column.js';
import { bytesOfVarints, readVarints } from './varint.js';

/**
 * The finished day of one meter, in parts that are rows of their own: small rows leave little room unused on SQLite's
 * pages, and who wants the load need not read the voltage. A part is its version, then column by column how it is
 * stored and its numbers (slot-column.ts), with their length before them; the first part begins with which slots there are.
 */
export const DAY_PARTS = [
  ['meanPowerDw', 'count', 'coveragePm', 'minPowerDw', 'maxPowerDw', 'energyMwh', 'flags', 'revision'],
  ['minVoltageCv', 'maxVoltageCv'],
  ['model', 'rawScoreE4', 'scoreE4'],
] as const;

export type DayColumn = (typeof DAY_PARTS)[number][number];
export const DAY_COLUMNS: readonly DayColumn[] = DAY_PARTS.flat();

/** By slot of the day; only at the places of slots that there are do the columns mean anything. */
export interface Day {
  readonly places: Int32Array;
  readonly columns: Readonly<Record<DayColumn, Float64Array>>;
}

export interface DayShape {
  readonly slotMs: number;
  readonly slotsPerDay: number;
}

const VERSION = 1;
const NULLABLE: ReadonlySet<DayColumn> = new Set(['minVoltageCv', 'maxVoltageCv', 'model', 'rawScoreE4', 'scoreE4']);

export function emptyDay(slotsPerDay: number, places: Int32Array): Day {
  const columns = DAY_COLUMNS.map((name) => [name, new Float64Array(slotsPerDay)]);
  return { places, columns: Object.fromEntries(columns) as Record<DayColumn, Float64Array> };
}

export function packDay(day: Day, shape: DayShape): readonly Uint8Array[] {
  return DAY_PARTS.map((names, part) => {
    const pieces = names.map((name: DayColumn) => {
      const { way, body } = packColumn(columnOf(day, name, shape));
      return Buffer.concat([Uint8Array.of(way), withLength(body)]);
    });
    const places = part === 0 ? [withLength(bytesOfVarints(spansOf(day.places)))] : [];
    return Buffer.concat([Uint8Array.of(VERSION), ...places, ...pieces]);
  });
}

export interface Unpacking {
  /** What is behind it is left as it is. */
  readonly through?: DayColumn | undefined;
  /** Written over: arrays for each day of a year would be most of the work. */
  readonly into: Day['columns'];
}

/** Undefined where a part has a version that this program does not know. */
export function unpackDay(
  parts: readonly Uint8Array[],
  shape: DayShape,
  { through, into }: Unpacking,
): Day | undefined {
  let day: Day | undefined;
  for (const [number, names] of DAY_PARTS.entries()) {
    const part = parts[number];
    if (part?.[0] !== VERSION) return undefined;
    let at = 1;
    const piece = (): Uint8Array => {
      const length = ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
      at += 2 + length;
      return part.subarray(at - length, at);
    };
    day ??= { places: placesOf(readVarints(piece())), columns: into };
    for (const name of names) {
      const way = part[at++] ?? 0;
      if (!unpackColumn({ way, body: piece() }, columnOf(day, name, shape))) return undefined;
      if (name === through) return day;
    }
  }
  return day;
}

/** How many slots there are, from the first part alone. */
export function slotsIn(part: Uint8Array): number {
  const end = 3 + (((part[1] ?? 0) << 8) | (part[2] ?? 0));
  return placesOf(readVarints(part.subarray(3, end))).length;
}

const BEFORE: Guess = { like: 'before' };

/** The guesses of a column keep their order for ever: packed rows name them by it. */
function columnOf({ places, columns }: Day, name: DayColumn, { slotMs }: DayShape): Column {
  const { meanPowerDw, coveragePm, minVoltageCv, rawScoreE4 } = columns;
  const common = { values: columns[name], places, nullable: NULLABLE.has(name) };
  const near = (column: Float64Array): readonly Guess[] => {
    const other = () => column;
    return [BEFORE, { like: 'beside', other }, { like: 'other', other }];
  };
  switch (name) {
    case 'minPowerDw':
    case 'maxPowerDw':
      return { ...common, guesses: near(meanPowerDw) };
    case 'maxVoltageCv':
      return { ...common, guesses: near(minVoltageCv) };
    case 'energyMwh': {
      const whole = () => meanPowerDw.map((meanDw) => Math.round(meanDw * slotMs * MWH_PER_DW_MS));
      const covered = () => meanPowerDw.map((meanDw, place) => energyOfPower(meanDw, coveragePm[place] ?? 0, slotMs));
      return { ...common, guesses: [BEFORE, { like: 'other', other: whole }, { like: 'other', other: covered }] };
    }
    case 'scoreE4':
      // Calibration is monotone: in the order of raw scores the scores only rise.
      return { ...common, places: byValue(rawScoreE4, places), guesses: near(rawScoreE4) };
    default:
      return { ...common, guesses: [BEFORE] };
  }
}

/** More than there are slots in a day. */
const PLACES = 512;

/** Both in one number, because numbers sort faster than pairs. */
function byValue(column: Float64Array, places: Int32Array): Int32Array {
  const keys = new Float64Array(places.length);
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    keys[index] = ((column[place] ?? 0) - NULL) * PLACES + place;
  }
  return Int32Array.from(keys.sort(), (key) => key % PLACES);
}

const withLength = (body: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(body.length >> 8, body.length & 0xff), body]);

/** Lengths of what is missing and what is there, in turn. */
function spansOf(places: Int32Array): number[] {
  const spans: number[] = [];
  let next = 0;
  for (const place of places) {
    if (place > next || spans.length === 0) spans.push(place - next, 0);
    spans[spans.length - 1] = (spans.at(-1) ?? 0) + 1;
    next = place + 1;
  }
  return spans;
}

function placesOf(spans: readonly number[]): Int32Array {
  const places: number[] = [];
  let next = 0;
  spans.forEach((length, index) => {
    if (index % 2 === 1) for (let place = next; place < next + length; place += 1) places.push(place);
    next += length;
  });
  return Int32Array.from(places);
}
