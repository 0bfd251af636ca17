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
  readonly places: readonly number[];
  readonly columns: Readonly<Record<DayColumn, Float64Array>>;
}

export interface DayShape {
  readonly slotMs: number;
  readonly slotsPerDay: number;
}

const VERSION = 1;
const NULLABLE: ReadonlySet<DayColumn> = new Set(['minVoltageCv', 'maxVoltageCv', 'model', 'rawScoreE4', 'scoreE4']);

export function emptyDay(slotsPerDay: number, places: readonly number[]): Day {
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

/** Undefined where a part has a version that this program does not know. What is behind `through` is left as zeros. */
export function unpackDay(parts: readonly Uint8Array[], shape: DayShape, through?: DayColumn): Day | undefined {
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
    day ??= emptyDay(shape.slotsPerDay, placesOf(readVarints(piece())));
    for (const name of names) {
      const way = part[at++] ?? 0;
      if (!unpackColumn({ way, body: piece() }, columnOf(day, name, shape))) return undefined;
      if (name === through) return day;
    }
  }
  return day;
}

const BEFORE: Guess = { like: 'before' };

/** The guesses of a column keep their order for ever: packed rows name them by it. */
function columnOf({ places, columns }: Day, name: DayColumn, { slotMs }: DayShape): Column {
  const { meanPowerDw, coveragePm, minVoltageCv, rawScoreE4 } = columns;
  const common = { values: columns[name], places, nullable: NULLABLE.has(name) };
  const near = (column: Float64Array): readonly Guess[] => {
    const other = (place: number): number => column[place] ?? 0;
    return [BEFORE, { like: 'beside', other }, { like: 'other', other }];
  };
  switch (name) {
    case 'minPowerDw':
    case 'maxPowerDw':
      return { ...common, guesses: near(meanPowerDw) };
    case 'maxVoltageCv':
      return { ...common, guesses: near(minVoltageCv) };
    case 'energyMwh': {
      const whole = (place: number) => Math.round((meanPowerDw[place] ?? 0) * slotMs * MWH_PER_DW_MS);
      const covered = (place: number) => energyOfPower(meanPowerDw[place] ?? 0, coveragePm[place] ?? 0, slotMs);
      return { ...common, guesses: [BEFORE, { like: 'other', other: whole }, { like: 'other', other: covered }] };
    }
    case 'scoreE4':
      // Calibration is monotone: in the order of raw scores the scores only rise.
      return { ...common, places: byValue(rawScoreE4, places), guesses: near(rawScoreE4) };
    default:
      return { ...common, guesses: [BEFORE] };
  }
}

const byValue = (column: Float64Array, places: readonly number[]): readonly number[] =>
  places.toSorted((a, b) => (column[a] ?? NULL) - (column[b] ?? NULL));

const withLength = (body: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(body.length >> 8, body.length & 0xff), body]);

/** Lengths of what is missing and what is there, in turn. */
function spansOf(places: readonly number[]): number[] {
  const spans: number[] = [];
  let next = 0;
  for (const place of places) {
    if (place > next || spans.length === 0) spans.push(place - next, 0);
    spans[spans.length - 1] = (spans.at(-1) ?? 0) + 1;
    next = place + 1;
  }
  return spans;
}

function placesOf(spans: readonly number[]): number[] {
  const places: number[] = [];
  let next = 0;
  spans.forEach((length, index) => {
    if (index % 2 === 1) for (let place = next; place < next + length; place += 1) places.push(place);
    next += length;
  });
  return places;
}
