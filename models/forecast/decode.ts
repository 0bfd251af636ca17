import type { Encoded } from './features.js';
import { type ForecastRow, MEDIAN, QUANTILES } from './horizons.js';

/** float32 ends here; beyond what a meter can mean, but a result is never infinite. */
const LARGEST_W = 3e38;

export interface Answers {
  /** Of the network, [rows, QUANTILES, steps], normalised. */
  readonly answers: Float32Array;
  /** [steps, QUANTILES]: by this the distances from the median are multiplied. */
  readonly factors: Float32Array;
}

/** Room for so many rows of so many numbers, all in one piece of memory. */
export function allocateRows(rows: number, width: number): readonly ForecastRow[] {
  const watts = new Float32Array(rows * width);
  return Array.from({ length: rows }, (_, row) => ({ watts: watts.subarray(row * width, (row + 1) * width) }));
}

/** One row of the network's answers in watts. No quantile passes its neighbour towards the median, and none is NaN. */
export function decodeRow(encoded: Encoded, row: number, { answers, factors }: Answers, { watts }: ForecastRow): void {
  const count = QUANTILES.length;
  const steps = factors.length / count;
  const base = row * factors.length;
  const centre = encoded.centreW[row] as number;
  const scale = encoded.scaleW[row] as number;
  const lowest = encoded.neverNegative[row] === 1 ? 0 : -LARGEST_W;
  for (let step = 0; step < steps; step++) {
    const from = base + step;
    const at = step * count;
    const answer = answers[from + MEDIAN * steps] as number;
    const median = Number.isFinite(answer) ? answer : 0;
    let distance = 0;
    for (let quantile = MEDIAN; quantile < count; quantile++) {
      const wanted = ((answers[from + quantile * steps] as number) - median) * (factors[at + quantile] as number);
      if (wanted > distance) distance = wanted;
      watts[at + quantile] = within(centre + scale * (median + distance), lowest);
    }
    distance = 0;
    for (let quantile = MEDIAN - 1; quantile >= 0; quantile--) {
      const wanted = ((answers[from + quantile * steps] as number) - median) * (factors[at + quantile] as number);
      if (wanted < distance) distance = wanted;
      watts[at + quantile] = within(centre + scale * (median + distance), lowest);
    }
  }
}

const within = (watts: number, lowest: number): number =>
  watts < lowest ? lowest : watts > LARGEST_W ? LARGEST_W : watts;
