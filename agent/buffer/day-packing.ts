import { orderedBy } from './places-by-value.js';
import { energyOfPower, MWH_PER_DW_MS } from './slot-accumulator.js';
import { type Column, type Guess, packColumn, unpackColumn } from './slot-column.js';
import { bytesOfVarints, readVarints } from './varint.js';

/**
 * The finished day of one meter, in parts that are rows of their own: small rows of like size leave little room unused on
 * SQLite's pages, and who wants the load need not read the voltage. A part is its version, then column by column how it is
 * stored and its numbers (slot-column.ts), with their length before them; the first part begins with which slots there are.
 */
export const DAY_PARTS = [
  ['meanPowerDw', 'count', 'coveragePm'],
  ['minPowerDw', 'maxPowerDw'],
  ['energyMwh', 'minVoltageCv', 'maxVoltageCv', 'flags', 'revision'],
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

export function packDay({ places, columns }: Day, { slotMs }: DayShape): readonly Uint8Array[] {
  const day = { places, columns, slotMs };
  return DAY_PARTS.map((names, part) => {
    const pieces = names.map((name: DayColumn) => {
      const { way, body } = packColumn(columnOf(day, name));
      return Buffer.concat([Uint8Array.of(way), withLength(body)]);
    });
    const spans = part === 0 ? [withLength(bytesOfVarints(spansOf(places)))] : [];
    return Buffer.concat([Uint8Array.of(VERSION), ...spans, ...pieces]);
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
  { slotMs }: DayShape,
  { through, into }: Unpacking,
): Day | undefined {
  let day: Guessing | undefined;
  for (const [number, names] of DAY_PARTS.entries()) {
    const part = parts[number];
    if (part?.[0] !== VERSION) return undefined;
    let at = 1;
    const piece = (): Uint8Array => {
      const length = ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
      at += 2 + length;
      return part.subarray(at - length, at);
    };
    day ??= { places: placesOf(readVarints(piece())), columns: into, slotMs };
    for (const name of names) {
      const way = part[at++] ?? 0;
      if (!unpackColumn({ way, body: piece() }, columnOf(day, name))) return undefined;
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

interface Guessing extends Day {
  readonly slotMs: number;
}

const BEFORE: Guess<Guessing> = { like: 'before' };

function near(name: DayColumn): readonly Guess<Guessing>[] {
  const other = ({ columns }: Guessing): Float64Array => columns[name];
  return [BEFORE, { like: 'beside', other }, { like: 'other', other }];
}

/** The guesses of a column keep their order for ever: packed rows name them by it. */
const GUESSES: Readonly<Partial<Record<DayColumn, readonly Guess<Guessing>[]>>> = {
  minPowerDw: near('meanPowerDw'),
  maxPowerDw: near('meanPowerDw'),
  maxVoltageCv: near('minVoltageCv'),
  scoreE4: near('rawScoreE4'),
  energyMwh: [BEFORE, { like: 'other', other: energyOfWhole }, { like: 'other', other: energyOfCovered }],
};
const NO_OTHER = [BEFORE];

function columnOf(day: Guessing, name: DayColumn): Column<Guessing> {
  const { places, columns } = day;
  return {
    day,
    values: columns[name],
    // Calibration is monotone: in the order of raw scores the scores only rise.
    places: name === 'scoreE4' ? orderedBy(columns.rawScoreE4, places) : places,
    guesses: GUESSES[name] ?? NO_OTHER,
    nullable: NULLABLE.has(name),
  };
}

/** More than there are slots in a day. Used again for each, as are the columns. */
const guessed = new Float64Array(512);

/** How far off a guess is, doubled, has to be a whole number that a double can hold. */
const FARTHEST = 2 ** 50;
const holdable = (guess: number): number => (guess > FARTHEST ? FARTHEST : guess < -FARTHEST ? -FARTHEST : guess);

function energyOfWhole({ columns: { meanPowerDw }, places, slotMs }: Guessing): Float64Array {
  for (const place of places) {
    guessed[place] = holdable(Math.round((meanPowerDw[place] ?? 0) * slotMs * MWH_PER_DW_MS));
  }
  return guessed;
}

function energyOfCovered({ columns: { meanPowerDw, coveragePm }, places, slotMs }: Guessing): Float64Array {
  for (const place of places) {
    guessed[place] = holdable(energyOfPower(meanPowerDw[place] ?? 0, coveragePm[place] ?? 0, slotMs));
  }
  return guessed;
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

/** Most days have all of their slots. */
let whole = new Int32Array(0);

function placesOf(spans: readonly number[]): Int32Array {
  if (spans.length === 2 && spans[0] === 0) {
    if (whole.length !== spans[1]) whole = Int32Array.from({ length: spans[1] ?? 0 }, (_, place) => place);
    return whole;
  }
  const places: number[] = [];
  let next = 0;
  spans.forEach((length, index) => {
    if (index % 2 === 1) for (let place = next; place < next + length; place += 1) places.push(place);
    next += length;
  });
  return Int32Array.from(places);
}
