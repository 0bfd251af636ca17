import type { SeriesHistory } from '../series-history.js';

/**
 * What one method says of one meter: watts for each step of the shape, NaN where it has nothing to go by. Only `steps` are
 * asked for; what is dear need not be computed for the others.
 */
export type PointForecast = (origin: number, out: Float64Array, steps: readonly number[]) => void;

export interface Baseline {
  readonly name: string;
  /** `testFrom` is the first slot that it must not know of; `origins` are all that will be asked for, in order. */
  prepare(history: SeriesHistory, testFrom: number, origins: readonly number[]): PointForecast;
}
