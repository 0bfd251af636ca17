/** NaN when a value is, and not finite when one is not. Four sums, since each addition waits for the one before it. */
export function sumOf(values: Float32Array): number {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let at = 0;
  for (; at + 3 < values.length; at += 4) {
    first += values[at] as number;
    second += values[at + 1] as number;
    third += values[at + 2] as number;
    fourth += values[at + 3] as number;
  }
  for (; at < values.length; at++) first += values[at] as number;
  return first + second + (third + fourth);
}
