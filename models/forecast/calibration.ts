import { z } from 'zod';
import { pack, packedSchema, unpack } from '../packed.js';
import { HIGH, LOW, MEDIAN, QUANTILES } from './horizons.js';
import { createLeastSquares } from './least-squares.js';

/**
 * How far the network's bands are to be trusted, measured on weeks that it was not trained on: conformal factors, by
 * step of the forecast.
 */
export interface Calibration {
  /** [steps, QUANTILES]: by this each quantile's distance from the median is multiplied. */
  readonly factors: Float32Array;
  /** [steps, LEVELS]: by this the bands are stretched further, so that the outermost one holds that share. */
  readonly stretch: Float32Array;
  /** [steps, QUANTILES]: with these weights the quantiles make a mean. */
  readonly mean: Float32Array;
}

/** Shares that a band may have to be stretched for before it holds what it should. */
export const LEVELS = [0.5, 0.6, 0.7, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96, 0.98, 0.99, 0.995] as const;
/** Nine actuals of ten lie between the outermost quantiles. */
export const DECLARED_MISS = 0.1;

/** Beyond this a factor says that the data were of another kind, not how wide a band should be. */
const SMALLEST_FACTOR = 0.2;
const LARGEST_FACTOR = 5;
const FEWEST_SCORES = 100;
const RIDGE = 1e-3;

export interface CalibrationData {
  readonly steps: number;
  readonly rows: number;
  /** [rows, QUANTILES, steps], as the network answers. */
  readonly answers: Float32Array;
  /** [rows, steps], normalised like the answers. */
  readonly actuals: Float32Array;
  /** [rows, steps]; 0 where the actual is not known. */
  readonly weights: Float32Array;
}

export const uncalibrated = (steps: number): Calibration => ({
  factors: new Float32Array(steps * QUANTILES.length).fill(1),
  stretch: new Float32Array(steps * LEVELS.length).fill(1),
  mean: meanOfQuantiles(steps),
});

export function calibrate(data: CalibrationData): Calibration {
  const { steps } = data;
  const { factors, stretch, mean } = uncalibrated(steps);
  for (let step = 0; step < steps; step++) {
    const known = Array.from({ length: data.rows }, (_, row) => row).filter(
      (row) => (data.weights[row * steps + step] as number) > 0,
    );
    if (known.length < FEWEST_SCORES) continue;
    const at = (row: number, quantile: number): number =>
      data.answers[(row * QUANTILES.length + quantile) * steps + step] as number;
    const actual = (row: number): number => data.actuals[row * steps + step] as number;
    for (const [quantile, level] of QUANTILES.entries()) {
      if (quantile === MEDIAN) continue;
      const scores = known.map((row) => ratio(actual(row) - at(row, MEDIAN), at(row, quantile) - at(row, MEDIAN)));
      const factor = quantileOf(scores, quantile < MEDIAN ? 1 - level : level);
      factors[step * QUANTILES.length + quantile] = Math.min(Math.max(factor, SMALLEST_FACTOR), LARGEST_FACTOR);
    }
    const [low, high] = [LOW, HIGH].map((quantile) => factors[step * QUANTILES.length + quantile] as number);
    const misses = known.map((row) => {
      const off = actual(row) - at(row, MEDIAN);
      const below = ratio(off, (low ?? 1) * (at(row, LOW) - at(row, MEDIAN)));
      return Math.max(below, ratio(off, (high ?? 1) * (at(row, HIGH) - at(row, MEDIAN))));
    });
    misses.sort((a, b) => a - b);
    for (const [index, level] of LEVELS.entries()) {
      const factor = Math.min(Math.max(quantileOf(misses, level), SMALLEST_FACTOR), LARGEST_FACTOR);
      stretch[step * LEVELS.length + index] = factor;
    }
    fitMean(mean, step, { data, known, at, actual });
  }
  return { factors, stretch, mean };
}

/** How many of its widths an actual lies away, on the side of that width. */
const ratio = (off: number, width: number): number =>
  width === 0 ? (off === 0 ? 0 : Number.MAX_VALUE * Math.sign(off)) : off / width;

/** With the correction for so few scores, which makes the promise of conformal prediction. */
function quantileOf(scores: number[], level: number): number {
  scores.sort((a, b) => a - b);
  const rank = Math.ceil((scores.length + 1) * level);
  return scores[Math.min(rank, scores.length) - 1] ?? 1;
}

function meanOfQuantiles(steps: number): Float32Array {
  const bounds = [0, ...QUANTILES.slice(1).map((level, index) => (level + (QUANTILES[index] ?? 0)) / 2), 1];
  const share = QUANTILES.map((_, index) => (bounds[index + 1] ?? 1) - (bounds[index] ?? 0));
  return Float32Array.from({ length: steps * QUANTILES.length }, (_, at) => share[at % QUANTILES.length] ?? 0);
}

interface MeanFit {
  readonly data: CalibrationData;
  readonly known: readonly number[];
  at(row: number, quantile: number): number;
  actual(row: number): number;
}

/** Loads are skewed: the mean lies further up than the middle of the quantiles. */
function fitMean(mean: Float32Array, step: number, { data, known, at, actual }: MeanFit): void {
  const squares = createLeastSquares(QUANTILES.length, 1);
  const inputs = new Float64Array(QUANTILES.length);
  const order = [...QUANTILES.keys()].filter((quantile) => quantile !== MEDIAN);
  for (const row of known) {
    for (const [index, quantile] of order.entries()) inputs[index] = at(row, quantile) - at(row, MEDIAN);
    squares.add(inputs, [actual(row) - at(row, MEDIAN)], (data.weights[row * data.steps + step] as number) ** 2);
  }
  const solution = squares.solve(RIDGE);
  let rest = 1;
  for (const [index, quantile] of order.entries()) {
    mean[step * QUANTILES.length + quantile] = solution[index] as number;
    rest -= solution[index] as number;
  }
  mean[step * QUANTILES.length + MEDIAN] = rest;
}

const schema = z.strictObject({ factors: packedSchema, stretch: packedSchema, mean: packedSchema });

export const packCalibration = ({ factors, stretch, mean }: Calibration): string =>
  `${JSON.stringify({ factors: pack(factors), stretch: pack(stretch), mean: pack(mean) })}\n`;

/** As a bundle stores it and a gateway reads it, so that what is measured is what serves. */
export const storedCalibration = ({ factors, stretch, mean }: Calibration): Calibration => ({
  factors: unpack(pack(factors)),
  stretch: unpack(pack(stretch)),
  mean: unpack(pack(mean)),
});

export function parseCalibration(json: unknown, steps: number): Calibration | { readonly reason: string } {
  const parsed = schema.safeParse(json);
  if (!parsed.success) return { reason: z.prettifyError(parsed.error) };
  const [factors, stretch, mean] = [parsed.data.factors, parsed.data.stretch, parsed.data.mean].map(unpack);
  if (factors?.length !== steps * QUANTILES.length || mean?.length !== factors.length) {
    return { reason: `not for ${steps} steps` };
  }
  if (stretch?.length !== steps * LEVELS.length) return { reason: `not for ${steps} steps` };
  const usable = [factors, stretch].every((table) => table.every((factor) => factor > 0 && factor <= LARGEST_FACTOR));
  return usable ? { factors, stretch, mean } : { reason: 'a factor is out of bounds' };
}
