import { RATIO_FLOOR_W } from '../features/day-shape.js';
import { nonnegativeLeastSquares } from './nonnegative-least-squares.js';

/** What a meter reports, and what would be usual, over the same slots. */
export interface Suspect {
  readonly reportedW: Float64Array;
  readonly expectedW: Float64Array;
}

const ZERO_W = 1;
/** Slots this close to the highest report of the span stand at a cap, if they are several. */
const CAP_SHARE = 0.995;
const FEWEST_AT_CAP = 4;
const ZERO_SHARE = 0.03;

/**
 * How each way of stealing would show in the feeder's loss: a share of what is reported, what is cut off above a cap, a
 * constant while anything is reported, all of the usual load while nothing is, and what lacks to the usual load.
 */
export function signaturesOf({ reportedW, expectedW }: Suspect): Float64Array[] {
  const highest = reportedW.reduce((most, watts) => Math.max(most, watts), 0);
  const atCap = (watts: number) => highest > ZERO_W && watts >= highest * CAP_SHARE;
  const isCapped = reportedW.filter(atCap).length >= FEWEST_AT_CAP;
  // Who never reports nothing takes off no constant; and all who never do would look the same.
  const hasZeros = reportedW.filter((watts) => watts <= ZERO_W).length >= ZERO_SHARE * reportedW.length;
  return [
    reportedW.slice(),
    reportedW.map((watts, at) => (isCapped && atCap(watts) ? (expectedW[at] as number) + RATIO_FLOOR_W : 0)),
    reportedW.map((watts) => (hasZeros && watts > ZERO_W ? RATIO_FLOOR_W : 0)),
    reportedW.map((watts, at) => (hasZeros && watts <= ZERO_W ? (expectedW[at] as number) + RATIO_FLOOR_W : 0)),
    reportedW.map((watts, at) => Math.max((expectedW[at] as number) - watts, 0)),
  ];
}

/** Which part of the loss the signatures of each suspect explain beside those of the others; the shares add up to about one. */
export function attributeLoss(columns: readonly (readonly Float64Array[])[], lossW: Float64Array): Float64Array {
  const weights = nonnegativeLeastSquares(columns.flat(), lossW);
  const total = lossW.reduce((sum, watts) => sum + Math.max(watts, 0), 0);
  let at = 0;
  return Float64Array.from(columns, (own) => {
    let explained = 0;
    for (const column of own) {
      const weight = weights[at++] as number;
      if (weight > 0) explained += weight * column.reduce((sum, value) => sum + value, 0);
    }
    return total > 0 ? explained / total : 0;
  });
}

/** How much of the loss the signatures of one suspect alone explain, as a share of its square: 1 is all of it. */
export function aloneExplains(columns: readonly Float64Array[], lossW: Float64Array): number {
  const weights = nonnegativeLeastSquares(columns, lossW);
  const square = lossW.reduce((sum, watts) => sum + watts * watts, 0);
  if (square === 0) return 0;
  const left = lossW.reduce((sum, watts, at) => {
    const explained = columns.reduce(
      (all, column, index) => all + (weights[index] as number) * (column[at] as number),
      0,
    );
    return sum + (watts - explained) ** 2;
  }, 0);
  return 1 - left / square;
}
