import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { LSTM_UNITS, mapWeights, PATCH_SIZE, sizeOf } from '../forecast/network.js';
import { transposed } from '../transposed.js';
import { besides, blocks, GATES, PATCH_PAIRS, packGates, UNIT, widened } from './packing.js';

const COLUMNS = GATES * LSTM_UNITS;
const ROWS = 2 * PATCH_PAIRS + LSTM_UNITS;

function weightsOf(value: (at: number) => number) {
  return mapWeights(4, (_, dims) => Float32Array.from({ length: sizeOf(dims) }, (__, at) => value(at)));
}

/** The whole numbers of one unit's gate, input by input, as the kernel meets them. */
function columnOf(values: Int16Array, unit: number, gate: number): readonly number[] {
  const group = Math.floor(unit / 4) * ROWS * GATES * 4;
  const place = (row: number) => group + ((row >> 1) * GATES + gate) * 8 + (unit % 4) * 2 + (row & 1);
  return Array.from({ length: ROWS }, (_, row) => values[place(row)] as number);
}

test('every weight stands where the kernel looks for it, to a fraction of a thousandth', () => {
  const random = seededRandom(1);
  const weights = weightsOf(() => random() * 2 - 1);
  const { values, scales } = packGates(weights);
  for (const [unit, gate] of [
    [0, 0],
    [5, 1],
    [LSTM_UNITS - 6, 2],
    [LSTM_UNITS - 1, 3],
  ] as const) {
    const column = gate * LSTM_UNITS + unit;
    const half = gate === 2 ? 1 : 0.5;
    const scale = scales[Math.floor(unit / 4) * 32 + gate * 4 + (unit % 4)] as number;
    for (const [row, whole] of columnOf(values, unit, gate).entries()) {
      const [array, at] =
        row < 2 * PATCH_PAIRS ? ([weights.lstm, row] as const) : ([weights.recurrent, row - 2 * PATCH_PAIRS] as const);
      const expected = row === PATCH_SIZE ? 0 : (array[at * COLUMNS + column] as number);
      expect(Math.abs((whole * scale * UNIT) / half - expected)).toBeLessThan(1e-3);
    }
  }
});

test.each([
  ['all the same', () => 3],
  ['one that is far larger', (at: number) => (at < COLUMNS ? 100 : 0.01)],
  ['nothing', () => 0],
  ['of either sign', (at: number) => (at % 3) - 1],
])('no weight and no sum of products leaves its bits: %s', (_, value) => {
  const { values, scales } = packGates(weightsOf(value));
  expect(scales.every(Number.isFinite)).toBe(true);
  for (let unit = 0; unit < LSTM_UNITS; unit++) {
    for (let gate = 0; gate < GATES; gate++) {
      const sum = columnOf(values, unit, gate).reduce((total, whole) => total + Math.abs(whole), 0);
      expect(sum * 2 ** 15).toBeLessThan(2 ** 31);
    }
  }
});

test('matrices are widened, turned, joined and cut into blocks of four columns', () => {
  const two = Float32Array.of(1, 2, 3, 4);
  expect([...widened(two, 2, 3)]).toEqual([1, 2, 0, 3, 4, 0]);
  expect([...transposed(Float32Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  expect([...besides(two, 2, Float32Array.of(9, 8), 1)]).toEqual([1, 2, 9, 3, 4, 8]);
  const eight = Float32Array.from({ length: 16 }, (_, at) => at);
  expect([...blocks(eight, 8)]).toEqual([0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]);
});
