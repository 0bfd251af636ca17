import { NULL } from './slot-column.js';

/** More than there are slots in a day. */
const PLACES = 512;
const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
/** What two digits can say. */
const NARROW = DIGITS * DIGITS;

const low = new Int32Array(DIGITS);
const high = new Int32Array(DIGITS);
const halfway = new Int32Array(PLACES);

/** Places in the order of the values there, and by place where values are equal. */
export function orderedBy(values: Float64Array, places: Int32Array): Int32Array {
  return byDigits(values, places) ?? bySorting(values, places);
}

/** A radix sort by two digits, several times as fast as a comparison of all with all; values from NULL on to 65,534. */
function byDigits(values: Float64Array, places: Int32Array): Int32Array | undefined {
  const { length } = places;
  low.fill(0);
  high.fill(0);
  for (let index = 0; index < length; index += 1) {
    const key = (values[places[index] ?? 0] ?? 0) - NULL;
    if (!(key >= 0 && key < NARROW)) return undefined;
    count(low, key & (DIGITS - 1));
    count(high, key >>> DIGIT_BITS);
  }
  startsOf(low);
  startsOf(high);
  for (let index = 0; index < length; index += 1) {
    const place = places[index] ?? 0;
    halfway[next(low, ((values[place] ?? 0) - NULL) & (DIGITS - 1))] = place;
  }
  const ordered = new Int32Array(length);
  for (let index = 0; index < length; index += 1) {
    const place = halfway[index] ?? 0;
    ordered[next(high, ((values[place] ?? 0) - NULL) >>> DIGIT_BITS)] = place;
  }
  return ordered;
}

function count(digits: Int32Array, digit: number): void {
  digits[digit] = (digits[digit] ?? 0) + 1;
}

/** From how many there are of each digit to where the first of them goes. */
function startsOf(digits: Int32Array): void {
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const many = digits[digit] ?? 0;
    digits[digit] = start;
    start += many;
  }
}

function next(digits: Int32Array, digit: number): number {
  const at = digits[digit] ?? 0;
  digits[digit] = at + 1;
  return at;
}

/** Both in one number, because numbers sort faster than pairs. */
function bySorting(values: Float64Array, places: Int32Array): Int32Array {
  const keys = new Float64Array(places.length);
  for (let index = 0; index < places.length; index += 1) {
    const place = places[index] ?? 0;
    keys[index] = ((values[place] ?? 0) - NULL) * PLACES + place;
  }
  return Int32Array.from(keys.sort(), (key) => key % PLACES);
}
