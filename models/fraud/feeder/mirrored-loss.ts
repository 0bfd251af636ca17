import { gramOf } from './nonnegative-least-squares.js';

/** Over the same slots; those that follow each other in time make a step. */
export interface ReportsAndLoss {
  readonly reportedW: readonly Float64Array[];
  readonly lossW: Float64Array;
  readonly slots: readonly number[];
  /** So many of the slots, the last ones, are recent. */
  readonly recent: number;
}

/** Fewer steps than this for each meter, and they tell nobody's part from another's. */
const STEPS_PER_METER = 2;
/** Meters that report the same must not be told apart by rounding. */
const RIDGE = 1e-6;
/** Nothing is explained better than to this share of its square. */
const EXACT = 1e-9;
/** Steps side by side share a slot, and are half as good as independent ones. */
const INDEPENDENT = 0.5;

/**
 * How likely it is, of each meter among all of its feeder, that each step of its report returns in the loss, turned
 * round: who reports what has nothing to do with what is drawn loses the true load less the report. It must hold over
 * all slots, and in recent ones no less for each step. 0 where nothing can be said.
 */
export function mirrored({ reportedW, lossW, slots, recent }: ReportsAndLoss): Float64Array {
  const count = reportedW.length;
  const ends: number[] = [];
  for (let at = 1; at < slots.length; at++) if (slots[at - 1] === (slots[at] as number) - 1) ends.push(at);
  let earlier = 0;
  while (earlier < ends.length && (ends[earlier] as number) <= slots.length - recent) earlier += 1;
  const lately = ends.length - earlier;
  if (lately <= STEPS_PER_METER * count) return new Float64Array(count);
  // The loss comes last, turned round.
  const steps = [...reportedW.map((watts) => stepsDown(watts, ends)), stepsDown(lossW, ends).map((step) => -step)];
  const ofLately = gramOf(steps.map((column) => column.subarray(earlier)));
  const ofAll = gramOf(steps.map((column) => column.subarray(0, earlier)));
  for (let at = 0; at < ofAll.length; at++) ofAll[at] = (ofAll[at] as number) + (ofLately[at] as number);
  const recently = logOddsOf(ofLately, { count, steps: lately });
  return logOddsOf(ofAll, { count, steps: ends.length }).map((logOdds, meter) => {
    const least = Math.min(logOdds, ((recently[meter] as number) * ends.length) / lately);
    return 1 / (1 + count * Math.exp(-least * INDEPENDENT));
  });
}

function stepsDown(watts: Float64Array, ends: readonly number[]): Float64Array {
  const steps = new Float64Array(ends.length);
  for (let step = 0; step < steps.length; step++) {
    const at = ends[step] as number;
    steps[step] = (watts[at - 1] as number) - (watts[at] as number);
  }
  return steps;
}

/**
 * Of each meter: the log of how much more likely the loss is if all of the meter's steps return in it than if none do.
 * Uses up the moments.
 */
function logOddsOf(
  moments: Float64Array,
  { count, steps }: { readonly count: number; readonly steps: number },
): Float64Array {
  const width = count + 1;
  const square = moments[count * width + count] as number;
  const moving = sweep(moments, width);
  const variance = Math.max(moments[count * width + count] as number, EXACT * square) / (steps - moving);
  return Float64Array.from({ length: count }, (_, meter) => {
    const own = -variance * (moments[meter * width + meter] as number);
    return own > 0 ? ((moments[count * width + meter] as number) - 0.5) / own : Number.NEGATIVE_INFINITY;
  });
}

/**
 * The regression of the last column on all others, in place and without a square root: then the last row holds the
 * slopes and what is left of the square, and above it stands the inverse, negated. Only the lower triangle is kept up;
 * columns of zeros stay. Tells how many are none.
 */
function sweep(moments: Float64Array, width: number): number {
  const pivots = new Float64Array(width);
  let swept = 0;
  for (let at = 0; at < width - 1; at++) moments[at * width + at] = (moments[at * width + at] as number) * (1 + RIDGE);
  for (let pivot = 0; pivot < width - 1; pivot++) {
    const square = moments[pivot * width + pivot] as number;
    if (square === 0) continue;
    swept += 1;
    for (let at = 0; at < width; at++)
      pivots[at] = moments[at < pivot ? pivot * width + at : at * width + pivot] as number;
    for (let row = 0; row < width; row++) {
      if (row === pivot) continue;
      const factor = (pivots[row] as number) / square;
      const start = row * width;
      for (let at = 0; at <= row; at++)
        moments[start + at] = (moments[start + at] as number) - factor * (pivots[at] as number);
      moments[row > pivot ? start + pivot : pivot * width + row] = factor;
    }
    moments[pivot * width + pivot] = -1 / square;
  }
  return swept;
}
