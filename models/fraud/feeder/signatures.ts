import { RATIO_FLOOR_W } from '../features/day-shape.js';
import { explainedSquare, normalEquations, partOf, solveNonnegative } from './nonnegative-least-squares.js';

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
 * How each way of stealing would show in the feeder's loss: a share of what is reported; where there are such slots,
 * what is cut off above a cap, a constant while anything is reported, and all of the usual load while nothing is; and
 * what lacks to the usual load.
 */
export function signaturesOf({ reportedW, expectedW }: Suspect): Float64Array[] {
  const slots = reportedW.length;
  let highest = 0;
  let zeros = 0;
  const shortfall = new Float64Array(slots);
  for (let at = 0; at < slots; at++) {
    const watts = reportedW[at] as number;
    if (watts > highest) highest = watts;
    if (watts <= ZERO_W) zeros += 1;
    const lacking = (expectedW[at] as number) - watts;
    shortfall[at] = lacking > 0 ? lacking : 0;
  }
  const signatures = [reportedW];
  const capped = highest > ZERO_W ? where(reportedW, (watts) => watts >= highest * CAP_SHARE) : [];
  const usual = (at: number) => (expectedW[at] as number) + RATIO_FLOOR_W;
  if (capped.length >= FEWEST_AT_CAP) signatures.push(only(slots, capped, usual));
  // Who never reports nothing takes off no constant; and all who never do would look the same.
  if (zeros >= ZERO_SHARE * slots) {
    const loaded = where(reportedW, (watts) => watts > ZERO_W);
    const idle = where(reportedW, (watts) => watts <= ZERO_W);
    signatures.push(
      only(slots, loaded, () => RATIO_FLOOR_W),
      only(slots, idle, usual),
    );
  }
  signatures.push(shortfall);
  return signatures;
}

function where(values: Float64Array, holds: (value: number) => boolean): number[] {
  const places: number[] = [];
  for (let at = 0; at < values.length; at++) if (holds(values[at] as number)) places.push(at);
  return places;
}

function only(slots: number, places: readonly number[], valueAt: (at: number) => number): Float64Array {
  const values = new Float64Array(slots);
  for (const at of places) values[at] = valueAt(at);
  return values;
}

export interface Attribution {
  /** Which part of the loss the signatures of each suspect explain beside those of the others; they add up to about one. */
  readonly shares: Float64Array;
  /** How much of the loss those of one suspect alone explain, as a share of its square: 1 is all of it. */
  readonly alone: Float64Array;
}

/** `signatures` are those of each suspect. One regression on all, and one for each suspect on its own part of it. */
export function attributeLoss(signatures: readonly (readonly Float64Array[])[], lossW: Float64Array): Attribution {
  const columns = signatures.flat();
  const equations = normalEquations(columns, lossW);
  const weights = solveNonnegative(equations);
  const total = lossW.reduce((sum, watts) => sum + Math.max(watts, 0), 0);
  const square = lossW.reduce((sum, watts) => sum + watts * watts, 0);
  const shares = new Float64Array(signatures.length);
  const alone = new Float64Array(signatures.length);
  let from = 0;
  for (const [suspect, own] of signatures.entries()) {
    const explained = own.reduce((sum, column, index) => sum + explainedBy(column, weights[from + index] as number), 0);
    const part = partOf(equations, from, own.length);
    shares[suspect] = total > 0 ? explained / total : 0;
    alone[suspect] = square > 0 ? explainedSquare(part, solveNonnegative(part)) / square : 0;
    from += own.length;
  }
  return { shares, alone };
}

const explainedBy = (column: Float64Array, weight: number): number =>
  weight > 0 ? weight * column.reduce((sum, value) => sum + value, 0) : 0;
