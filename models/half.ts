/** Half precision (IEEE 754 binary16), which Node has no array for: weights on disk take half the room. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Rounded to nearest, ties to even; what is too large becomes infinite. */
export function halfBits(value: number): number {
  float[0] = value;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted > 0) return sign | roundedShift((shifted << 23) | fraction, 13);
  if (shifted < -10) return sign;
  return sign | roundedShift(0x800000 | fraction, 14 - shifted);
}

export function fromHalfBits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1_024) * 2 ** (exponent - 15);
}

/** What remains of numbers once they have been stored as halves. */
export const roundedToHalf = (values: Float32Array): Float32Array =>
  values.map((value) => fromHalfBits(halfBits(value)));

function roundedShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
