/** Enough for a gradient of a thousandth; a regression of fifty columns needs about thirty. */
const MAX_ROUNDS = 200;
const TOLERANCE = 1e-4;

/** All that a regression needs to know of its columns A and its target b. */
export interface NormalEquations {
  readonly count: number;
  /** AᵀA, row by row. */
  readonly gram: Float64Array;
  /** Aᵀb. */
  readonly towards: Float64Array;
}

export function normalEquations(columns: readonly Float64Array[], target: Float64Array): NormalEquations {
  const count = columns.length;
  const gram = new Float64Array(count * count);
  const towards = new Float64Array(count);
  for (const [i, column] of columns.entries()) {
    towards[i] = dot(column, target);
    for (let j = 0; j <= i; j++) {
      const value = dot(column, columns[j] as Float64Array);
      gram[i * count + j] = value;
      gram[j * count + i] = value;
    }
  }
  return { count, gram, towards };
}

/** Of the same regression with the columns from `from` on alone, so many of them. */
export function partOf({ count: all, gram, towards }: NormalEquations, from: number, count: number): NormalEquations {
  const part = new Float64Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) part[i * count + j] = gram[(from + i) * all + from + j] as number;
  return { count, gram: part, towards: towards.subarray(from, from + count) };
}

/** By how much the weights bring |Ax - b|² below |b|². */
export function explainedSquare({ count, gram, towards }: NormalEquations, weights: Float64Array): number {
  let explained = 0;
  for (let i = 0; i < count; i++) {
    let product = 2 * (towards[i] as number);
    for (let j = 0; j < count; j++) product -= (gram[i * count + j] as number) * (weights[j] as number);
    explained += product * (weights[i] as number);
  }
  return explained;
}

/**
 * The x ≥ 0 that minimises |Ax - b|²: coordinate descent on the normal equations. Columns are scaled first; one that is
 * zero gets 0.
 */
export function solveNonnegative({ count, gram, towards }: NormalEquations): Float64Array {
  // A column of nothing: any scale will do.
  const scales = towards.map((_, index) => Math.sqrt(gram[index * count + index] as number) || 1);
  const scaled = new Float64Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++)
      scaled[i * count + j] = (gram[i * count + j] as number) / (scales[i] as number) / (scales[j] as number);
  const solved = descend(
    scaled,
    towards.map((value, index) => value / (scales[index] as number)),
  );
  return solved.map((value, index) => value / (scales[index] as number));
}

/** Of columns of length 1, or 0. */
function descend(gram: Float64Array, towards: Float64Array): Float64Array {
  const count = towards.length;
  const solution = new Float64Array(count);
  const gradient = towards.map((value) => -value);
  const enough = TOLERANCE * towards.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const before = solution[i] as number;
      const after = Math.max(before - (gradient[i] as number), 0);
      const step = after - before;
      if (step === 0) continue;
      largest = Math.max(largest, Math.abs(step));
      solution[i] = after;
      for (let j = 0; j < count; j++) gradient[j] = (gradient[j] as number) + step * (gram[i * count + j] as number);
    }
    if (largest <= enough) break;
  }
  return solution;
}

/** Four sums side by side: each addition would wait for the one before it. */
function dot(one: Float64Array, other: Float64Array): number {
  const whole = one.length - (one.length % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let at = 0; at < whole; at += 4) {
    a += (one[at] as number) * (other[at] as number);
    b += (one[at + 1] as number) * (other[at + 1] as number);
    c += (one[at + 2] as number) * (other[at + 2] as number);
    d += (one[at + 3] as number) * (other[at + 3] as number);
  }
  for (let at = whole; at < one.length; at++) a += (one[at] as number) * (other[at] as number);
  return a + b + c + d;
}
