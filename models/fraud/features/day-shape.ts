/**
 * One day of a meter in a few figures, whatever its slot width. The day may end at any slot, so that the day that ends
 * now is always whole.
 */
export const SHAPE_COLUMNS = [
  'mean',
  'q90',
  'q75',
  'median',
  'floor',
  'q05',
  'zeros',
  'zero_run',
  'ties',
  'near_max',
  'present',
] as const;

export type ShapeColumn = (typeof SHAPE_COLUMNS)[number];

/** Where each column stands in a row of figures. */
export const AT = Object.fromEntries(SHAPE_COLUMNS.map((name, index) => [name, index])) as Readonly<
  Record<ShapeColumn, number>
>;
export const SHAPE_WIDTH = SHAPE_COLUMNS.length;

/** A meter that measures nothing shows noise of its own. */
const ZERO_W = 1;
/** Readings are rounded: what is closer to the maximum than this is the same. */
const TIE_SHARE = 0.002;
const NEAR_SHARE = 0.05;
/** Keeps ratios of small powers finite and unexcited. */
export const RATIO_FLOOR_W = 10;

/**
 * Writes SHAPE_COLUMNS at `offset`, of a day of slots in order of time; NaN is unknown. Where all are, so are the
 * figures, but for `present`.
 */
export function writeShape(out: Float32Array, offset: number, powerW: Float32Array): void {
  const known = new Float32Array(powerW.length);
  let count = 0;
  let sum = 0;
  let zeros = 0;
  // Unknown slots neither end a run of zeros nor are part of one.
  let run = 0;
  let longest = 0;
  for (let slot = 0; slot < powerW.length; slot++) {
    const watts = powerW[slot] as number;
    if (Number.isNaN(watts)) continue;
    known[count++] = watts;
    sum += watts;
    const isZero = Math.abs(watts) < ZERO_W;
    if (isZero) zeros += 1;
    run = isZero ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  out.fill(Number.NaN, offset, offset + SHAPE_WIDTH);
  out[offset + AT.present] = count / powerW.length;
  if (count === 0) return;
  const sorted = known.subarray(0, count).sort();
  const quantile = (share: number) => sorted[Math.round(share * (count - 1))] as number;
  const max = quantile(1);
  out[offset + AT.mean] = sum / count;
  out[offset + AT.q90] = quantile(0.9);
  out[offset + AT.q75] = quantile(0.75);
  out[offset + AT.median] = quantile(0.5);
  out[offset + AT.floor] = quantile(0.1);
  out[offset + AT.q05] = quantile(0.05);
  out[offset + AT.ties] = max > ZERO_W ? shareAbove(sorted, max * (1 - TIE_SHARE)) : 0;
  out[offset + AT.near_max] = max > ZERO_W ? shareAbove(sorted, max * (1 - NEAR_SHARE)) : 0;
  out[offset + AT.zeros] = zeros / count;
  out[offset + AT.zero_run] = longest / powerW.length;
}

function shareAbove(sorted: Float32Array, limit: number): number {
  let from = sorted.length;
  while (from > 0 && (sorted[from - 1] as number) >= limit) from -= 1;
  return (sorted.length - from) / sorted.length;
}
