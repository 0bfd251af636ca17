import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { quantiseColumns, quantisePairedRows } from './quantise.js';

const COLUMNS = 8;
/** An odd number of rows, so that the last one has no other. */
const ROWS = 13;
const random = seededRandom(11);
const weights = Float32Array.from({ length: ROWS * COLUMNS }, () => (random() * 2 - 1) ** 3);

const restored = ({ values, scales }: ReturnType<typeof quantiseColumns>): Float32Array =>
  Float32Array.from(values, (value, at) => value * (scales[at % COLUMNS] as number));

test.each([
  ['columns', quantiseColumns],
  ['paired rows', quantisePairedRows],
])('%s: every weight comes back within half a step', (_name, quantise) => {
  const quantised = quantise(weights, COLUMNS);
  for (const [at, value] of restored(quantised).entries()) {
    expect(Math.abs(value - (weights[at] as number))).toBeLessThanOrEqual(
      (quantised.scales[at % COLUMNS] as number) / 2 + 1e-7,
    );
  }
});

test('no two rows of a pair overflow 16 bits, whatever the inputs', () => {
  const { values } = quantisePairedRows(weights, COLUMNS);
  const magnitude = (at: number): number => Math.abs(values[at] ?? 0);
  for (let row = 0; row < ROWS; row += 2) {
    for (let column = 0; column < COLUMNS; column++) {
      const at = row * COLUMNS + column;
      expect(255 * (magnitude(at) + magnitude(at + COLUMNS))).toBeLessThanOrEqual(32_767);
    }
  }
});

test('a column of zeros stays zero', () => {
  const zeros = new Float32Array(ROWS * COLUMNS);
  expect(restored(quantisePairedRows(zeros, COLUMNS))).toEqual(zeros);
});
