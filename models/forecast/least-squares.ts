/** Weighted least squares with a ridge, fed row by row: memory grows with the columns, not with the rows. */
export interface LeastSquares {
  add(inputs: ArrayLike<number>, targets: ArrayLike<number>, weight?: number): void;
  /** [inputs, outputs] row by row; `ridge` is a share of the mean diagonal, the last input (the constant) is spared. */
  solve(ridge: number): Float64Array;
}

export function createLeastSquares(inputs: number, outputs: number): LeastSquares {
  /** Upper triangle, row by row. */
  const gram = new Float64Array(inputs * inputs);
  const moments = new Float64Array(inputs * outputs);
  const row = new Float64Array(inputs);

  return {
    add(values, targets, weight = 1) {
      for (let i = 0; i < inputs; i++) row[i] = values[i] as number;
      for (let i = 0; i < inputs; i++) {
        const scaled = (row[i] as number) * weight;
        if (scaled === 0) continue;
        const base = i * inputs;
        for (let j = i; j < inputs; j++) gram[base + j] = (gram[base + j] as number) + scaled * (row[j] as number);
        const to = i * outputs;
        for (let o = 0; o < outputs; o++)
          moments[to + o] = (moments[to + o] as number) + scaled * (targets[o] as number);
      }
    },
    solve(ridge) {
      let trace = 0;
      for (let i = 0; i < inputs; i++) trace += gram[i * inputs + i] as number;
      return solveSymmetric(gram, moments, { outputs, penalty: ridge * (trace / inputs), spared: 1 });
    },
  };
}

/** (gram + penalty) x = moments, by Cholesky's way; the last `spared` inputs bear no penalty. Reads the upper triangle. */
export function solveSymmetric(
  gram: Float64Array,
  moments: Float64Array,
  { outputs, penalty, spared }: { outputs: number; penalty: number; spared: number },
): Float64Array {
  const size = moments.length / outputs;
  const factor = cholesky(gram, { size, penalty: penalty || Number.MIN_VALUE, spared });
  return substitute(factor, moments, { size, outputs });
}

/** Lower triangle of the factor. A pivot that rounding has made negative belongs to a column that says nothing new. */
function cholesky(
  gram: Float64Array,
  { size, penalty, spared }: { size: number; penalty: number; spared: number },
): Float64Array {
  const factor = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = gram[j * size + i] as number;
      if (i === j && i < size - spared) sum += penalty;
      for (let k = 0; k < j; k++) sum -= (factor[i * size + k] as number) * (factor[j * size + k] as number);
      factor[i * size + j] =
        i === j ? Math.sqrt(Math.max(sum, penalty * 1e-9, Number.MIN_VALUE)) : sum / (factor[j * size + j] as number);
    }
  }
  return factor;
}

function substitute(
  factor: Float64Array,
  moments: Float64Array,
  { size, outputs }: { size: number; outputs: number },
): Float64Array {
  const solution = Float64Array.from(moments);
  for (let i = 0; i < size; i++) {
    for (let o = 0; o < outputs; o++) {
      let sum = solution[i * outputs + o] as number;
      for (let k = 0; k < i; k++) sum -= (factor[i * size + k] as number) * (solution[k * outputs + o] as number);
      solution[i * outputs + o] = sum / (factor[i * size + i] as number);
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let o = 0; o < outputs; o++) {
      let sum = solution[i * outputs + o] as number;
      for (let k = i + 1; k < size; k++)
        sum -= (factor[k * size + i] as number) * (solution[k * outputs + o] as number);
      solution[i * outputs + o] = sum / (factor[i * size + i] as number);
    }
  }
  return solution;
}
