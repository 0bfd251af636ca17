import { packRice, riceBits, unpackRice } from './rice.js';
import { bytesOfVarints, readVarints } from './varint.js';

export interface Column {
  /** By slot of the day. */
  readonly values: Float64Array;
  /** The slots that there are, in the order in which they are stored. */
  readonly places: Int32Array;
  readonly guesses: readonly Guess[];
  /** -1 means null, and is not minus one. */
  readonly nullable: boolean;
}

/**
 * What a number probably is: the one before it in the order of places, or that of another column that is unpacked
 * already, or as far from that other column as the one before was.
 */
export type Guess =
  | { readonly like: 'before' }
  | { readonly like: 'other' | 'beside'; readonly other: () => Float64Array };

/**
 * How far the guess was wrong, made into numbers from 0 on. A mean is never below the minimum: where all errors have
 * one sign, the sign is not stored.
 */
const SIGNS = ['both', 'above', 'below'] as const;
/** Equal numbers one after the other as one, or each on its own. */
const FORMS = ['runs', 'rice'] as const;
/** A register of 0.1 Wh or a voltage of 0.1 V leaves zeros at the end of each number. */
const UNITS = [1, 10, 100, 1_000] as const;
/** Below it, arithmetic is that of whole numbers in the processor. */
const INT32 = 2 ** 31;
/** Stands for what is not known, in any unit. */
export const NULL = -1;

export interface PackedColumn {
  /** Which guess, sign, form and unit. */
  readonly way: number;
  readonly body: Uint8Array;
}

/** Of all ways that with the fewest bytes: what is best differs from meter to meter. */
export function packColumn(column: Column): PackedColumn {
  const unitNumber = unitOf(column);
  let best: { readonly bits: number; readonly way: number; readonly folded: Float64Array } = {
    bits: Number.POSITIVE_INFINITY,
    way: 0,
    folded: new Float64Array(0),
  };
  column.guesses.forEach((guess, guessNumber) => {
    const errors = errorsOf(column, guess, UNITS[unitNumber] ?? 1);
    SIGNS.forEach((sign, signNumber) => {
      const folded = fold(errors, sign);
      if (folded === undefined) return;
      FORMS.forEach((form, formNumber) => {
        const bits = form === 'runs' ? 8 * runsOf(folded).length : riceBits(folded);
        if (bits >= best.bits) return;
        const choice = (guessNumber * SIGNS.length + signNumber) * FORMS.length + formNumber;
        best = { bits, way: choice * UNITS.length + unitNumber, folded };
      });
    });
  });
  const form = FORMS[Math.floor(best.way / UNITS.length) % FORMS.length];
  return { way: best.way, body: form === 'runs' ? runsOf(best.folded) : packRice(best.folded) };
}

function unitOf({ values, places, nullable }: Column): number {
  const divides = (unit: number): boolean =>
    places.every((place) => (nullable && values[place] === NULL) || (values[place] ?? 0) % unit === 0);
  const number = UNITS.findIndex((unit) => !divides(unit));
  return number === -1 ? UNITS.length - 1 : number - 1;
}

function errorsOf({ values, places, nullable }: Column, guess: Guess, unit: number): Float64Array {
  const errors = new Float64Array(places.length);
  const others = guess.like === 'before' ? undefined : guess.other();
  let before = 0;
  let otherBefore = 0;
  places.forEach((place, index) => {
    const value = values[place] ?? 0;
    const other = others?.[place] ?? 0;
    const expected = guess.like === 'other' ? other : other + before - otherBefore;
    errors[index] = (nullable && value === NULL ? NULL : value / unit) - Math.round(expected / unit);
    before = value;
    otherBefore = other;
  });
  return errors;
}

function fold(errors: Float64Array, sign: (typeof SIGNS)[number]): Float64Array | undefined {
  if (sign === 'both') return errors.map((error) => (error < 0 ? -2 * error - 1 : 2 * error));
  const wrong = sign === 'above' ? (error: number) => error < 0 : (error: number) => error > 0;
  return errors.some(wrong) ? undefined : errors.map(Math.abs);
}

/** Writes the numbers to their places. False when no such way is known. */
export function unpackColumn({ way, body }: PackedColumn, { values, places, guesses, nullable }: Column): boolean {
  const unit = UNITS[way % UNITS.length] ?? 1;
  const choice = Math.floor(way / UNITS.length);
  const form = FORMS[choice % FORMS.length];
  const sign = SIGNS[Math.floor(choice / FORMS.length) % SIGNS.length];
  const guess = guesses[Math.floor(choice / FORMS.length / SIGNS.length)];
  if (sign === undefined || guess === undefined) return false;
  const numbers = scratch(places.length);
  if (form === 'runs') readRuns(body, numbers);
  else unpackRice(body, numbers);
  unfold(numbers, sign);
  const column = { values, places, unit, nullable };
  if (guess.like === 'before') afterBefore(numbers, column);
  else afterOther(numbers, column, { others: guess.other(), isBeside: guess.like === 'beside' });
  return true;
}

let space = new Float64Array(0);

/** Used again for each column: a year of one meter has five thousand of them. */
function scratch(length: number): Float64Array {
  if (space.length < length) space = new Float64Array(length);
  return space.subarray(0, length);
}

interface Unfolded extends Pick<Column, 'values' | 'places' | 'nullable'> {
  readonly unit: number;
}

/** Two loops, each without a choice in it. */
function afterBefore(errors: Float64Array, { values, places, unit, nullable }: Unfolded): void {
  let before = 0;
  for (let index = 0; index < places.length; index += 1) {
    const number = (errors[index] ?? 0) + (unit === 1 ? before : Math.round(before / unit));
    before = nullable && number === NULL ? NULL : number * unit;
    values[places[index] ?? 0] = before;
  }
}

function afterOther(
  errors: Float64Array,
  { values, places, unit, nullable }: Unfolded,
  { others, isBeside }: { readonly others: Float64Array; readonly isBeside: boolean },
): void {
  let distance = 0;
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    const other = others[place] ?? 0;
    const expected = other + distance;
    const number = (errors[index] ?? 0) + (unit === 1 ? expected : Math.round(expected / unit));
    const value = nullable && number === NULL ? NULL : number * unit;
    if (isBeside) distance = value - other;
    values[place] = value;
  }
}

/** In place. */
function unfold(numbers: Float64Array, sign: (typeof SIGNS)[number]): void {
  if (sign === 'above') return;
  for (let index = 0; index < numbers.length; index += 1) {
    const folded = numbers[index] ?? 0;
    if (sign === 'below') numbers[index] = -folded;
    else if (folded < INT32) numbers[index] = (folded >>> 1) ^ -(folded & 1);
    else numbers[index] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }
}

function runsOf(numbers: Float64Array): Uint8Array {
  const pairs: number[] = [];
  for (const number of numbers) {
    if (pairs.at(-2) === number) pairs[pairs.length - 1] = (pairs.at(-1) ?? 0) + 1;
    else pairs.push(number, 1);
  }
  return bytesOfVarints(pairs);
}

function readRuns(body: Uint8Array, numbers: Float64Array): void {
  const pairs = readVarints(body);
  let index = 0;
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const end = index + (pairs[at + 1] ?? 0);
    numbers.fill(pairs[at] ?? 0, index, end);
    index = end;
  }
}
