import { packRice, riceBits, unpackRice } from './rice.js';
import { bytesOfVarints, readVarints, varintLength } from './varint.js';

/** `D` is the day that the column is one of. */
export interface Column<D> {
  readonly day: D;
  /** By slot of the day; means something only at the places of slots that there are. */
  readonly values: Float64Array;
  /** The slots that there are, in the order in which they are stored. */
  readonly places: Int32Array;
  readonly guesses: readonly Guess<D>[];
  /** -1 means null, and is not minus one. */
  readonly nullable: boolean;
}

/**
 * What a number probably is: the one before it in the order of places, or that of another column that is unpacked
 * already, or as far from that other column as the one before was.
 */
export type Guess<D> =
  | { readonly like: 'before' }
  | { readonly like: 'other' | 'beside'; readonly other: (day: D) => Float64Array };

/**
 * How far the guess was wrong, made into numbers from 0 on. A mean is never below the minimum: where all errors have
 * one sign, the sign is not stored.
 */
const SIGNS = ['both', 'above', 'below'] as const;
type Sign = (typeof SIGNS)[number];
/** Equal numbers one after the other as one, or each on its own. */
const FORMS = ['runs', 'rice'] as const;
type Form = (typeof FORMS)[number];
/** A register of 0.1 Wh or a voltage of 0.1 V leaves zeros at the end of each number. */
const UNITS = [1, 10, 100, 1_000] as const;
/** Below it, arithmetic is that of whole numbers in the processor. */
const INT32 = 2 ** 31;
/** Stands for what is not known, in any unit. */
export const NULL = -1;

type Stored = Pick<Column<unknown>, 'values' | 'places' | 'nullable'>;

export interface PackedColumn {
  /** Which guess, sign, form and unit. */
  readonly way: number;
  readonly body: Uint8Array;
}

interface Way {
  readonly bits: number;
  readonly way: number;
  readonly folded: Float64Array;
  readonly form: Form;
}

/** Of all ways that with the fewest bytes: what is best differs from meter to meter. */
export function packColumn<D>(column: Column<D>): PackedColumn {
  const unitNumber = unitOf(column);
  let best: Way = { bits: Number.POSITIVE_INFINITY, way: 0, folded: new Float64Array(0), form: 'rice' };
  column.guesses.forEach((guess, guessNumber) => {
    const room = errorRooms.find(({ buffer }) => buffer !== best.folded.buffer) ?? new Float64Array(PLACES);
    const folded = room.subarray(0, column.places.length);
    putErrors(folded, column, { guess, unit: UNITS[unitNumber] ?? 1 });
    const sign = fold(folded);
    FORMS.forEach((form, formNumber) => {
      const bits = form === 'runs' ? 8 * runsLength(folded, best.bits / 8) : riceBits(folded, best.bits);
      if (bits >= best.bits) return;
      const choice = (guessNumber * SIGNS.length + SIGNS.indexOf(sign)) * FORMS.length + formNumber;
      best = { bits, way: choice * UNITS.length + unitNumber, folded, form };
    });
  });
  return { way: best.way, body: best.form === 'runs' ? runsOf(best.folded) : packRice(best.folded) };
}

/** More than there are slots in a day. */
const PLACES = 512;
/** Used again for each column: one for the best way so far, and one to try the next. */
const errorRooms = [new Float64Array(PLACES), new Float64Array(PLACES)];

/** The largest that leaves no rest anywhere. */
function unitOf({ values, places, nullable }: Stored): number {
  let largest = UNITS.length - 1;
  for (let index = 0; index < places.length && largest > 0; index += 1) {
    const value = values[places[index] ?? 0] ?? 0;
    if (nullable && value === NULL) continue;
    // The rest of a division of whole numbers is many times as fast.
    const small = value | 0;
    if (small === value) while (small % ((UNITS[largest] ?? 1) | 0) !== 0) largest -= 1;
    else while (value % (UNITS[largest] ?? 1) !== 0) largest -= 1;
  }
  return largest;
}

interface Guessed<D> {
  readonly guess: Guess<D>;
  readonly unit: number;
}

function putErrors<D>(
  errors: Float64Array,
  { day, values, places, nullable }: Column<D>,
  { guess, unit }: Guessed<D>,
): void {
  const others = guess.like === 'before' ? undefined : guess.other(day);
  const follows = guess.like !== 'other';
  let distance = 0;
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    const value = values[place] ?? 0;
    const other = others === undefined ? 0 : (others[place] ?? 0);
    const expected = other + distance;
    const number = nullable && value === NULL ? NULL : value / unit;
    errors[index] = number - (unit === 1 ? expected : Math.round(expected / unit));
    if (follows) distance = value - other;
  }
}

/** In place; `unfold` undoes it. */
function fold(errors: Float64Array): Sign {
  let least = 0;
  let most = 0;
  for (let index = 0; index < errors.length; index += 1) {
    const error = errors[index] ?? 0;
    if (error < least) least = error;
    if (error > most) most = error;
  }
  if (least === 0) return 'above';
  for (let index = 0; index < errors.length; index += 1) {
    const error = errors[index] ?? 0;
    if (most === 0) errors[index] = -error;
    else errors[index] = error < 0 ? -2 * error - 1 : 2 * error;
  }
  return most === 0 ? 'below' : 'both';
}

/** Writes the numbers to their places. False when no such way is known. */
export function unpackColumn<D>(
  { way, body }: PackedColumn,
  { day, values, places, guesses, nullable }: Column<D>,
): boolean {
  const unit = UNITS[way % UNITS.length] ?? 1;
  const choice = Math.floor(way / UNITS.length);
  const form = FORMS[choice % FORMS.length];
  const sign = SIGNS[Math.floor(choice / FORMS.length) % SIGNS.length];
  const guess = guesses[Math.floor(choice / FORMS.length / SIGNS.length)];
  if (sign === undefined || guess === undefined) return false;
  const runs = form === 'runs' ? readVarints(body) : undefined;
  if (runs?.length === 4 && runs[1] === 1 && runs[2] === 0 && guess.like === 'before') {
    const [value = 0] = unfold(Float64Array.of(runs[0] ?? 0), sign);
    values.fill(nullable && value === NULL ? NULL : value * unit);
    return true;
  }
  const numbers = scratch(places.length);
  if (runs === undefined) unpackRice(body, numbers);
  else repeat(runs, numbers);
  unfold(numbers, sign);
  const column = { values, places, unit, nullable };
  if (guess.like === 'before') afterBefore(numbers, column);
  else afterOther(numbers, column, { others: guess.other(day), isBeside: guess.like === 'beside' });
  return true;
}

let space = new Float64Array(0);

/** Used again for each column: a year of one meter has five thousand of them. */
function scratch(length: number): Float64Array {
  if (space.length < length) space = new Float64Array(length);
  return space.subarray(0, length);
}

interface Unfolded extends Stored {
  readonly unit: number;
}

/** Loops with no more choices in them than need be: a year of one meter goes a million times through them. */
function afterBefore(errors: Float64Array, { values, places, unit, nullable }: Unfolded): void {
  let before = 0;
  if (!nullable) {
    for (let index = 0; index < places.length; index += 1) {
      before += errors[index] ?? 0;
      values[places[index] ?? 0] = before * unit;
    }
    return;
  }
  for (let index = 0; index < places.length; index += 1) {
    const number = before + (errors[index] ?? 0);
    const isNull = number === NULL;
    values[places[index] ?? 0] = isNull ? NULL : number * unit;
    // Null is less than half of any unit but one.
    before = isNull && unit !== 1 ? 0 : number;
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

/** From numbers of 0 on to how far the guess was wrong, in the same array. */
function unfold(numbers: Float64Array, sign: Sign): Float64Array {
  if (sign === 'above') return numbers;
  if (sign === 'below') {
    // Subtracted, because the negative of 0 is another number than 0.
    for (let index = 0; index < numbers.length; index += 1) numbers[index] = 0 - (numbers[index] ?? 0);
    return numbers;
  }
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index] ?? 0;
    if (number < INT32) numbers[index] = (number >>> 1) ^ -(number & 1);
    else numbers[index] = number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }
  return numbers;
}

function runsOf(numbers: Float64Array): Uint8Array {
  const pairs: number[] = [];
  let from = 0;
  for (let index = 1; index <= numbers.length; index += 1) {
    if (index < numbers.length && numbers[index] === numbers[from]) continue;
    pairs.push(numbers[from] ?? 0, index - from);
    from = index;
  }
  return bytesOfVarints(pairs);
}

/** Bytes that `runsOf` would take; some number from `limit` on where that many do not suffice. */
function runsLength(numbers: Float64Array, limit: number): number {
  let bytes = 0;
  let from = 0;
  for (let index = 1; index <= numbers.length && bytes < limit; index += 1) {
    if (index < numbers.length && numbers[index] === numbers[from]) continue;
    bytes += varintLength(numbers[from] ?? 0) + varintLength(index - from);
    from = index;
  }
  return bytes;
}

function repeat(runs: readonly number[], numbers: Float64Array): void {
  let index = 0;
  for (let at = 0; at + 1 < runs.length; at += 2) {
    const end = index + (runs[at + 1] ?? 0);
    numbers.fill(runs[at] ?? 0, index, end);
    index = end;
  }
}
