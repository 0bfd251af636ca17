import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { nonnegativeLeastSquares } from './nonnegative-least-squares.js';

const random = seededRandom(3);
const column = (): Float64Array => Float64Array.from({ length: 60 }, () => random() * 1_000);

test('what was mixed from columns comes apart again', () => {
  const columns = Array.from({ length: 12 }, column);
  const weights = [0, 2, 0, 0, 0.3, 0, 0, 0, 1, 0, 0, 0];
  const target = Float64Array.from({ length: 60 }, (_, row) =>
    columns.reduce((sum, values, index) => sum + (weights[index] as number) * (values[row] as number), 0),
  );
  for (const [index, weight] of nonnegativeLeastSquares(columns, target).entries())
    expect(weight).toBeCloseTo(weights[index] as number, 1);
});

test('at the solution no weight can be changed for the better', () => {
  const columns = Array.from({ length: 8 }, column);
  const target = column().map((value, row) => value - (row % 2) * 900);
  const weights = nonnegativeLeastSquares(columns, target);
  expect(weights.every((weight) => weight >= 0)).toBe(true);
  expect(weights.some((weight) => weight === 0)).toBe(true);
  const residual = target.map((value, row) =>
    columns.reduce((left, values, index) => left - (weights[index] as number) * (values[row] as number), value),
  );
  const scale = Math.max(...columns.map((values) => Math.abs(dot(values, target))));
  for (const [index, values] of columns.entries()) {
    const gain = dot(values, residual) / scale;
    if (weights[index] === 0) expect(gain).toBeLessThan(1e-3);
    else expect(Math.abs(gain)).toBeLessThan(1e-3);
  }
});

test('columns of nothing, and none at all, explain nothing', () => {
  expect([...nonnegativeLeastSquares([new Float64Array(60)], column())]).toEqual([0]);
  expect([...nonnegativeLeastSquares([], column())]).toEqual([]);
});

const dot = (one: Float64Array, other: Float64Array): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] as number), 0);
