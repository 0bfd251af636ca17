/** Enough for a gradient of a thousandth; a regression of fifty columns needs about thirty. */
const MAX_ROUNDS = 200;
const TOLERANCE = 1e-4;

/**
 * The x ≥ 0 that minimises |Ax - b|², from columns of A: coordinate descent on the normal equations. Columns are
 * scaled first; one that is zero gets 0.
 */
export function nonnegativeLeastSquares(columns: readonly Float64Array[], target: Float64Array): Float64Array {
  const scales = columns.map((column) => Math.sqrt(dot(column, column)));
  const used = columns.flatMap((column, index) => {
    const scale = scales[index] as number;
    return scale > 0 ? [{ index, column: column.map((value) => value / scale) }] : [];
  });
  const count = used.length;
  const gram = new Float64Array(count * count);
  const towards = new Float64Array(count);
  for (const [i, { column }] of used.entries()) {
    towards[i] = dot(column, target);
    for (let j = 0; j <= i; j++) {
      const value = dot(column, used[j]?.column ?? column);
      gram[i * count + j] = value;
      gram[j * count + i] = value;
    }
  }
  const solved = descend(gram, towards);
  const result = new Float64Array(columns.length);
  for (const [i, { index }] of used.entries()) result[index] = (solved[i] as number) / (scales[index] as number);
  return result;
}

function descend(gram: Float64Array, towards: Float64Array): Float64Array {
  const count = towards.length;
  const solution = new Float64Array(count);
  const gradient = towards.map((value) => -value);
  const enough = TOLERANCE * towards.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let largest = 0;
    for (let i = 0; i < count; i++) {
      const before = solution[i] as number;
      const after = Math.max(before - (gradient[i] as number) / (gram[i * count + i] as number), 0);
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

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] as number) * (other[index] as number);
  return sum;
}
