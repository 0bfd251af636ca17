import { QUANTILES } from '../horizons.js';

/**
 * Errors of one method on one meter over one group of horizons, or their means over meters. Watts where not a ratio; a
 * ratio to nothing is no finite number, and the mean of none NaN.
 */
export interface Scores {
  /** Of the median. */
  readonly mae: number;
  /** Of the mean. */
  readonly rmse: number;
  /** MAE over that of the same time yesterday on the part before the test. */
  readonly mase: number;
  /** MAE over that of the same time yesterday on the test itself. */
  readonly mase_vs_seasonal: number;
  /** Mean over the seven quantiles; a point forecast stands for all of them. */
  readonly pinball: number;
  /** Share of actuals inside the band that should hold nine of ten; of methods that give one. */
  readonly coverage90?: number;
  readonly r2: number;
}

/** What rounding leaves of the spread of a load that never changes, as a share of its square, is less. */
const LEAST_SPREAD = 1e-10;

export interface Answer {
  readonly median: number;
  readonly mean: number;
  /** All of QUANTILES; none for a point forecast. */
  readonly quantiles?: ArrayLike<number>;
}

export interface Tally {
  add(actual: number, answer: Answer): void;
  readonly count: number;
  readonly mae: number;
  readonly rmse: number;
  readonly r2: number;
  /** `seasonalBefore` and `seasonal` are the errors of the same time yesterday before and in the test. */
  scores(seasonalBefore: number, seasonal: number): Scores;
}

export function createTally(): Tally {
  let count = 0;
  let absolute = 0;
  let squared = 0;
  let pinball = 0;
  let inside = 0;
  let hasBand = false;
  let sum = 0;
  let sumOfSquares = 0;

  const tally: Tally = {
    add(actual, { median, mean, quantiles }) {
      count += 1;
      absolute += Math.abs(actual - median);
      squared += (actual - mean) ** 2;
      sum += actual;
      sumOfSquares += actual * actual;
      for (const [index, level] of QUANTILES.entries()) {
        const error = actual - (quantiles === undefined ? median : (quantiles[index] as number));
        pinball += Math.max(level * error, (level - 1) * error) / QUANTILES.length;
      }
      if (quantiles === undefined) return;
      hasBand = true;
      const last = quantiles.length - 1;
      if (actual >= (quantiles[0] as number) && actual <= (quantiles[last] as number)) inside += 1;
    },
    get count() {
      return count;
    },
    get mae() {
      return absolute / count;
    },
    get rmse() {
      return Math.sqrt(squared / count);
    },
    get r2() {
      const spread = sumOfSquares - (sum * sum) / count;
      return spread > LEAST_SPREAD * sumOfSquares ? 1 - squared / spread : Number.NaN;
    },
    scores(seasonalBefore, seasonal) {
      const { mae, rmse, r2 } = tally;
      return {
        mae,
        rmse,
        mase: mae / seasonalBefore,
        mase_vs_seasonal: mae / seasonal,
        pinball: pinball / count,
        ...(hasBand ? { coverage90: inside / count } : {}),
        r2,
      };
    },
  };
  return tally;
}

/** What divides by an error of something else, or by the spread of the load, which may be nothing. */
export const RATIOS = ['mase', 'mase_vs_seasonal', 'r2'] as const;

/** Weighted means of every figure, each over those that have it; all count the same where no weights are given. */
export function meanOfScores(all: readonly Scores[], weights: readonly number[] = all.map(() => 1)): Scores {
  const mean = (read: (scores: Scores) => number | undefined): number => {
    let [sum, weight] = [0, 0];
    for (const [index, scores] of all.entries()) {
      const value = read(scores);
      if (value === undefined || !Number.isFinite(value)) continue;
      sum += value * (weights[index] as number);
      weight += weights[index] as number;
    }
    return sum / weight;
  };
  return {
    mae: mean(({ mae }) => mae),
    rmse: mean(({ rmse }) => rmse),
    mase: mean(({ mase }) => mase),
    mase_vs_seasonal: mean(({ mase_vs_seasonal }) => mase_vs_seasonal),
    pinball: mean(({ pinball }) => pinball),
    ...(all.some(({ coverage90 }) => coverage90 !== undefined)
      ? { coverage90: mean(({ coverage90 }) => coverage90) }
      : {}),
    r2: mean(({ r2 }) => r2),
  };
}
