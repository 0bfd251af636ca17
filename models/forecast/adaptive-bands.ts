import { type Calibration, DECLARED_MISS, LEVELS } from './calibration.js';
import { QUANTILES } from './horizons.js';

/**
 * Bands that follow what they miss: α ← α + γ (α* - miss), one α for each step (Gibbs and Candès). When winter is unlike
 * the months of training, the bands widen until nine actuals of ten lie inside again.
 */
export interface AdaptiveBands {
  /** [steps, QUANTILES]: what a decoder multiplies by now. */
  readonly factors: Float32Array;
  /** Of so many forecasts of this step whose actuals came, so many were missed. */
  observe(step: number, missed: number, of: number): void;
  /** The miss rate that each step aims at to reach the declared one. */
  readonly alphas: Float64Array;
}

/** In a hundred steps α has moved by what a lasting error of ten percentage points asks for. */
const STEP_SIZE = 0.01;
const LARGEST_ALPHA = 1 - LEVELS[0];
const RAREST = 1 - (LEVELS.at(-1) ?? 1);
/** What the weeks of calibration never saw they cannot measure: from there on a hundredth of α widens by a twentieth. */
const BEYOND = 5;
const SMALLEST_ALPHA = -0.5;

/** `from`: the alphas that earlier bands of the same calibration had come to. */
export function createAdaptiveBands({ factors, stretch }: Calibration, from?: ArrayLike<number>): AdaptiveBands {
  const steps = factors.length / QUANTILES.length;
  const alphas = new Float64Array(steps).fill(DECLARED_MISS);
  const current = factors.slice();

  function aimAt(step: number, wanted: number): void {
    const alpha = Math.min(Math.max(wanted, SMALLEST_ALPHA), LARGEST_ALPHA);
    alphas[step] = alpha;
    const table = stretch.subarray(step * LEVELS.length, (step + 1) * LEVELS.length);
    const factor = stretchAt(table, 1 - Math.max(alpha, RAREST)) * (1 + BEYOND * Math.max(RAREST - alpha, 0));
    for (let quantile = 0; quantile < QUANTILES.length; quantile++) {
      const at = step * QUANTILES.length + quantile;
      current[at] = (factors[at] as number) * factor;
    }
  }

  if (from?.length === steps) {
    for (let step = 0; step < steps; step++) if (from[step] !== DECLARED_MISS) aimAt(step, from[step] as number);
  }

  return {
    factors: current,
    alphas,
    observe(step, missed, of) {
      if (of > 0) aimAt(step, (alphas[step] as number) + STEP_SIZE * (DECLARED_MISS - missed / of));
    },
  };
}

/** Between the levels along a line. */
function stretchAt(stretch: Float32Array, level: number): number {
  const above = LEVELS.findIndex((next) => next >= level);
  if (above <= 0) return stretch[above === 0 ? 0 : LEVELS.length - 1] as number;
  const [from, to] = [LEVELS[above - 1] as number, LEVELS[above] as number];
  const share = (level - from) / (to - from);
  return (stretch[above - 1] as number) * (1 - share) + (stretch[above] as number) * share;
}
