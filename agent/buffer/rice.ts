/**
 * Whole numbers of which most are small: the quotient by 2^k in ones and a zero, the rest in k bits (Rice). k follows
 * the numbers, as in JPEG-LS, so that a quiet night costs little on a day with an oven in it.
 */

/** Numbers after which half of what was seen is forgotten. */
const MEMORY = 16;
const FIRST_SUM = 32;
/** One outlier shall not make the following numbers long; also keeps all sums within 31 bits. */
const MAX_FOLLOWED = 1 << 20;
/** A number with so long a quotient is written out in 53 bits. */
const ESCAPE = 18;
const HIGH_BITS = 22;
const LOW_BITS = 31;
const LOW = 2 ** LOW_BITS;
/** Bits may be looked at behind the end. */
const PADDING = 12;

/** How many bits `packRice` would take. */
export function riceBits(numbers: Float64Array): number {
  let bits = 0;
  let sum = FIRST_SUM;
  let count = 1;
  for (const number of numbers) {
    const k = 32 - Math.clz32((sum / count) >>> 1);
    bits += number < ESCAPE * (1 << k) ? Math.floor(number / (1 << k)) + 1 + k : ESCAPE + HIGH_BITS + LOW_BITS;
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
    const k = 32 - Math.clz32((sum / count) >>> 1);
    if (number < ESCAPE * (1 << k)) {
      const quotient = (number >>> k) | 0;
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

/** One loop, without a call for each number: a year of one meter has a million of them. */
export function unpackRice(body: Uint8Array, numbers: Float64Array): void {
  const bytes = new Uint8Array(body.length + PADDING);
  bytes.set(body);
  let at = 0;
  let sum = FIRST_SUM;
  let count = 1;
  for (let index = 0; index < numbers.length; index += 1) {
    const k = 32 - Math.clz32((sum / count) >>> 1);
    const quotient = Math.clz32(~bitsAt(bytes, at));
    let number: number;
    if (quotient < ESCAPE) {
      at += quotient + 1;
      number = k === 0 ? quotient : quotient * (1 << k) + (bitsAt(bytes, at) >>> (32 - k));
      at += k;
    } else {
      at += ESCAPE;
      const high = bitsAt(bytes, at) >>> (32 - HIGH_BITS);
      at += HIGH_BITS;
      number = high * LOW + (bitsAt(bytes, at) >>> (32 - LOW_BITS));
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

/** The 32 bits from bit `at` on. */
function bitsAt(bytes: Uint8Array, at: number): number {
  const index = at >>> 3;
  const shift = at & 7;
  const word =
    ((bytes[index] ?? 0) << 24) |
    ((bytes[index + 1] ?? 0) << 16) |
    ((bytes[index + 2] ?? 0) << 8) |
    (bytes[index + 3] ?? 0);
  return shift === 0 ? word : (word << shift) | ((bytes[index + 4] ?? 0) >>> (8 - shift));
}
