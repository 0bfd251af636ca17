import { PATCH_SLOTS } from '../forecast/features.js';
import { LSTM_UNITS, type NetworkWeights, PATCH_SIZE } from '../forecast/network.js';

/** The slots of a patch, its share and a zero, two by two. */
export const PATCH_PAIRS = (PATCH_SLOTS + 2) / 2;
/** What an input and a state of the LSTM are multiplied with to be whole: compressed slots stay below 4, and 4 times this fits into 16 bits. */
export const UNIT = 2 ** 13;

export const GATES = 4;
/** i, f, c, o: all but the third go through a sigmoid, which the kernel takes at half its argument. */
const HALVED = [true, true, false, true] as const;
const LARGEST_INPUT = 2 ** 15;
const LARGEST_WEIGHT = 2 ** 15 - 1;
/** Sums of products stay below it whatever the inputs, so that no addition overflows. */
const LARGEST_SUM = 2 ** 31 - 1;

/** Every run of `from` numbers as one of `to`, with zeros at its end. */
export function widened(values: Float32Array, from: number, to: number): Float32Array {
  const wide = new Float32Array((values.length / from) * to);
  for (let at = 0, put = 0; at < values.length; at += from, put += to) wide.set(values.subarray(at, at + from), put);
  return wide;
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Matrices side by side. */
export function besides(
  left: Float32Array,
  leftColumns: number,
  right: Float32Array,
  rightColumns: number,
): Float32Array {
  const columns = leftColumns + rightColumns;
  const both = new Float32Array(left.length + right.length);
  for (let row = 0; row * columns < both.length; row++) {
    both.set(left.subarray(row * leftColumns, (row + 1) * leftColumns), row * columns);
    both.set(right.subarray(row * rightColumns, (row + 1) * rightColumns), row * columns + leftColumns);
  }
  return both;
}

/** [inputs, columns] as blocks of four columns, each [inputs, 4]. */
export function blocks(values: Float32Array, columns: number): Float32Array {
  const inputs = values.length / columns;
  const packed = new Float32Array(values.length);
  for (const [at, value] of values.entries()) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    packed[(Math.floor(column / 4) * inputs + row) * 4 + (column % 4)] = value;
  }
  return packed;
}

/** The LSTM's weights in 16 bits, and what turns sums of their products with inputs back into gates. */
export interface PackedGates {
  readonly values: Int16Array;
  readonly scales: Float32Array;
}

/** As the kernel reads them: for each four units and each pair of inputs the four gates, for each unit both weights. */
export function packGates({ lstm, recurrent, lstmBias }: NetworkWeights): PackedGates {
  const columns = GATES * LSTM_UNITS;
  const rows = 2 * PATCH_PAIRS + LSTM_UNITS;
  const weightAt = (row: number, column: number): number => {
    if (row < PATCH_SIZE) return lstm[row * columns + column] as number;
    return row < 2 * PATCH_PAIRS ? 0 : (recurrent[(row - 2 * PATCH_PAIRS) * columns + column] as number);
  };
  const values = new Int16Array(rows * columns);
  const scales = new Float32Array(2 * columns);
  let at = 0;
  for (let four = 0; four < LSTM_UNITS; four += 4) {
    const steps = Array.from({ length: GATES * 4 }, (_, index) => {
      const column = Math.floor(index / 4) * LSTM_UNITS + four + (index % 4);
      const step = finestStep(Array.from({ length: rows }, (__, row) => weightAt(row, column)));
      const half = HALVED[Math.floor(index / 4)] ? 0.5 : 1;
      const place = (four / 4) * 2 * GATES * 4 + index;
      scales[place] = (half * step) / UNIT;
      scales[place + GATES * 4] = half * (lstmBias[column] as number);
      return { column, step };
    });
    for (let row = 0; row < rows; row += 2) {
      for (const { column, step } of steps) {
        values[at++] = Math.round(weightAt(row, column) / step);
        values[at++] = Math.round(weightAt(row + 1, column) / step);
      }
    }
  }
  return { values, scales };
}

/** Of whole numbers for these weights, such that neither one of them nor any sum leaves its bits. */
function finestStep(weights: readonly number[]): number {
  const largest = Math.max(...weights.map(Math.abs));
  const sum = weights.reduce((total, weight) => total + Math.abs(weight), 0);
  // Each is rounded, by a half at most.
  const room = Math.floor(LARGEST_SUM / LARGEST_INPUT) - weights.length;
  return Math.max(largest / LARGEST_WEIGHT, sum / room) || 1;
}
