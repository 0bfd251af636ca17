/** Sorts `values`. NaN for none. */
export function medianOf(values: Float64Array): number {
  return sortedQuantile(values.sort(), 0.5);
}

export function sortedQuantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}

/** Of a normal distribution, the median absolute deviation is this share of the standard deviation. */
const MAD_TO_SIGMA = 1.4826;

export interface CentreAndSpread {
  readonly centre: number;
  /** As a standard deviation. */
  readonly spread: number;
}

/** Median, and the median distance from it; neither minds a few odd values. Sorts `values`. */
export function centreAndSpread(values: Float64Array): CentreAndSpread {
  const centre = medianOf(values);
  const spread = MAD_TO_SIGMA * medianOf(values.map((value) => Math.abs(value - centre)));
  return { centre, spread };
}
