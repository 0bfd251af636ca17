import type { SeriesHistory } from '../series-history.js';

/** What one method says of one meter: watts for each step of the shape, NaN where it has nothing to go by. */
export type PointForecast = (origin: number, out: Float64Array) => void;

export interface Baseline {
  readonly name: string;
  /** `testFrom` is the first slot that it must not know of. */
  prepare(history: SeriesHistory, testFrom: number): PointForecast;
}
