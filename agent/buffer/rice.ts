/**
 * Whole numbers of which most are small: the quotient by 2^k in ones and a zero, the rest in k bits (Rice). k follows
 * the numbers, as in JPEG-LS, so that a quiet night costs little on a day with an oven in it.
 */

/** Numbers after which half of what was seen is forgotten. */
const MEMORY = 16;
const FIRST_SUM = 32;
/** One outlier shall not make the following numbers long; also keeps k below 21 and all sums within 31 bits. */
const MAX_FOLLOWED = 1 << 20;
/** A number with so long a quotient is written out in 53 bits. */
const ESCAPE = 18;
const HIGH_BITS = 22;
const LOW_BITS = 31;
const LOW = 2 ** LOW_BITS;
const ESCAPED_BITS = ESCAPE + HIGH_BITS + LOW_BITS;
/** Of 32 bits read from the byte in which the first of them stands, at least so many are there. */
const SURE_BITS = 25;

/** The bits of half of the mean of what was seen; a division would be most of the work. */
function restBits(sum: number, count: number): number {
  const twice = count << 1;
  const more = Math.clz32(twice) - Math.clz32(sum);
  if (more < 0) return 0;
  return sum >= twice << more ? more + 1 : more;
}

/** How many bits `packRice` would take; some number from `limit` on where that many do not suffice. */
export function riceBits(numbers: Float64Array, limit = Number.POSITIVE_INFINITY): number {
  let bits = 0;
  let sum = FIRST_SUM;
  let count = 1;
  for (let index = 0; index < numbers.length && bits < limit; index += 1) {
    const number = numbers[index] ?? 0;
    const k = restBits(sum, count);
    bits += number < ESCAPE << k ? (number >>> k) + 1 + k : ESCAPED_BITS;
    sum += number < MAX_FOLLOWED ? number : MAX_FOLLOWED;
    count += 1;
    if (count >= MEMORY) {
      sum >>>= 1;
      count >>>= 1;
    }
  }
  return bits;
}

export function packRice(numbers: Float64Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(riceBits(numbers) / 8));
  let at = 0;
  let sum = FIRST_SUM;
  let count = 1;
  /** At most 31 bits. */
  function put(value: number, length: number): void {
    for (let left = length; left > 0; ) {
      const room = 8 - (at & 7);
      const take = left < room ? left : room;
      left -= take;
      bytes[at >>> 3] = (bytes[at >>> 3] ?? 0) | (((value >>> left) & ((1 << take) - 1)) << (room - take));
      at += take;
    }
  }
  for (const number of numbers) {
    const k = restBits(sum, count);
    if (number < ESCAPE << k) {
      const quotient = number >>> k;
      put((1 << (quotient + 1)) - 2, quotient + 1);
      put(number & ((1 << k) - 1), k);
    } else {
      put((1 << ESCAPE) - 1, ESCAPE);
      put(Math.floor(number / LOW), HIGH_BITS);
      put(number % LOW, LOW_BITS);
    }
    sum += number < MAX_FOLLOWED ? number : MAX_FOLLOWED;
    count += 1;
    if (count >= MEMORY) {
      sum >>>= 1;
      count >>>= 1;
    }
  }
  return bytes;
}

let space = new DataView(new ArrayBuffer(0));

/** With room behind them for as many bits as damaged ones can make `count` numbers ask for. */
function withRoom(body: Uint8Array, count: number): DataView {
  const length = body.length + Math.ceil((count * ESCAPED_BITS) / 8) + 8;
  if (space.byteLength < length) space = new DataView(new ArrayBuffer(2 * length));
  new Uint8Array(space.buffer).set(body);
  return space;
}

/** One loop, and mostly one look at the bits for each number: a year of one meter has a million of them. */
export function unpackRice(body: Uint8Array, numbers: Float64Array): void {
  const bits = withRoom(body, numbers.length);
  let at = 0;
  let sum = FIRST_SUM;
  let count = 1;
  for (let index = 0; index < numbers.length; index += 1) {
    const k = restBits(sum, count);
    const word = bits.getUint32(at >>> 3) << (at & 7);
    const quotient = Math.clz32(~word);
    let number: number;
    if (quotient + k < SURE_BITS && quotient < ESCAPE) {
      // In two shifts, because one by 32 would be none.
      number = (quotient << k) | (((word << (quotient + 1)) >>> 1) >>> (31 - k));
      at += quotient + 1 + k;
    } else if (quotient < ESCAPE) {
      at += quotient + 1;
      number = (quotient << k) | bitsAt(bits, at, k);
      at += k;
    } else {
      at += ESCAPE;
      number = bitsAt(bits, at, HIGH_BITS) * LOW;
      at += HIGH_BITS;
      number += bitsAt(bits, at, 16) * 2 ** 15 + bitsAt(bits, at + 16, 15);
      at += LOW_BITS;
    }
    numbers[index] = number;
    sum += number < MAX_FOLLOWED ? number : MAX_FOLLOWED;
    count += 1;
    if (count >= MEMORY) {
      sum >>>= 1;
      count >>>= 1;
    }
  }
}

/** At least one bit, and no more than are sure. */
const bitsAt = (bits: DataView, at: number, length: number): number =>
  (bits.getUint32(at >>> 3) << (at & 7)) >>> (32 - length);
