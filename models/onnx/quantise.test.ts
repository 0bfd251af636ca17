import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { quantiseColumns } from './quantise.js';

const COLUMNS = 8;
const random = seededRandom(12);
const weights = Float32Array.from({ length: 64 * COLUMNS }, (_, at) =>
  at % COLUMNS === 0 ? 0 : (random() * 2 - 1) * (at % COLUMNS),
);

test('two neighbours times the largest inputs fit into 16 bits, so that no processor saturates', () => {
  const { values } = quantiseColumns(weights, COLUMNS);
  for (let column = 0; column < COLUMNS; column++) {
    for (let at = column; at + COLUMNS < values.length; at += COLUMNS) {
      const pair = 255 * ((values[at] as number) + (values[at + COLUMNS] as number));
      expect(Math.abs(pair)).toBeLessThan(2 ** 15);
    }
  }
  expect(values.some((value) => Math.abs(value) === 64)).toBe(true);
});

test('each column has a scale of its own, and a column of zeros stays one', () => {
  const { values, scales } = quantiseColumns(weights, COLUMNS);
  for (const [at, weight] of weights.entries()) {
    const scale = scales[at % COLUMNS] as number;
    expect(Math.abs((values[at] as number) * scale - weight)).toBeLessThanOrEqual(scale * 0.501);
  }
  expect(scales[0]).toBe(1);
});
