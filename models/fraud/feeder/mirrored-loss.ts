import { dot, type NormalEquations, normalEquations } from './nonnegative-least-squares.js';

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
  const isRecent = (end: number) => end > slots.length - recent;
  const lately = ends.filter(isRecent);
  if (lately.length <= STEPS_PER_METER * count) return new Float64Array(count);
  const ofLately = regressionOf(reportedW, lossW, lately);
  const earlier = ends.filter((end) => !isRecent(end));
  const ofAll = together(ofLately, regressionOf(reportedW, lossW, earlier));
  const recently = logOddsOf(ofLately);
  return logOddsOf(ofAll).map((logOdds, meter) => {
    const least = Math.min(logOdds, ((recently[meter] as number) * ends.length) / lately.length);
    return 1 / (1 + count * Math.exp(-least * INDEPENDENT));
  });
}

/** Of the loss's steps on those of all reports, turned round. */
interface Regression extends NormalEquations {
  readonly square: number;
  readonly steps: number;
}

function regressionOf(reportedW: readonly Float64Array[], lossW: Float64Array, ends: readonly number[]): Regression {
  const lossSteps = stepsDown(lossW, ends).map((step) => -step);
  const down = reportedW.map((watts) => stepsDown(watts, ends));
  return { ...normalEquations(down, lossSteps), square: dot(lossSteps, lossSteps), steps: ends.length };
}

function stepsDown(watts: Float64Array, ends: readonly number[]): Float64Array {
  const steps = new Float64Array(ends.length);
  for (let step = 0; step < steps.length; step++) {
    const at = ends[step] as number;
    steps[step] = (watts[at - 1] as number) - (watts[at] as number);
  }
  return steps;
}

const together = (one: Regression, other: Regression): Regression => ({
  count: one.count,
  gram: one.gram.map((value, at) => value + (other.gram[at] as number)),
  towards: one.towards.map((value, at) => value + (other.towards[at] as number)),
  square: one.square + other.square,
  steps: one.steps + other.steps,
});

/** Of each meter: the log of how much more likely the loss is if all of the meter's steps return in it than if none do. */
function logOddsOf({ count, gram, towards, square, steps }: Regression): Float64Array {
  const root = inverseRoot(gram, count);
  const turned = new Float64Array(count);
  for (const [meter, column] of root.entries())
    for (let at = meter; at < count; at++)
      turned[at] = (turned[at] as number) + (column[at] as number) * (towards[meter] as number);
  const moving = root.reduce((sum, column, meter) => ((column[meter] as number) > 0 ? sum + 1 : sum), 0);
  const variance = Math.max(square - dot(turned, turned), EXACT * square) / (steps - moving);
  return Float64Array.from(root, (column) => {
    const own = variance * dot(column, column);
    return own > 0 ? (dot(column, turned) - 0.5) / own : Number.NEGATIVE_INFINITY;
  });
}

/** Column by column the inverse of L, where LL' = gram; rows and columns of meters that never move are 0. */
function inverseRoot(gram: Float64Array, count: number): Float64Array[] {
  const empty = () => Array.from({ length: count }, () => new Float64Array(count));
  const lower = empty();
  const inverse = empty();
  for (const [row, own] of lower.entries()) {
    const square = gram[row * count + row] as number;
    if (square === 0) continue;
    for (let column = 0; column < row; column++) {
      const known = dot(own.subarray(0, column), (lower[column] as Float64Array).subarray(0, column));
      const scale = inverse[column]?.[column] as number;
      own[column] = ((gram[row * count + column] as number) - known) * scale;
    }
    const scale = 1 / Math.sqrt(square * (1 + RIDGE) - dot(own, own));
    for (const [column, values] of inverse.entries()) {
      if (column >= row) break;
      values[row] = -scale * dot(own.subarray(column, row), values.subarray(column, row));
    }
    (inverse[row] as Float64Array)[row] = scale;
  }
  return inverse;
}
