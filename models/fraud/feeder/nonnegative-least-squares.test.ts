import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { explainedSquare, normalEquations, partOf, solveNonnegative } from './nonnegative-least-squares.js';

const random = seededRandom(3);
const regress = (columns: readonly Float64Array[], target: Float64Array): Float64Array =>
  solveNonnegative(normalEquations(columns, target));
const column = (): Float64Array => Float64Array.from({ length: 60 }, () => random() * 1_000);

test('what was mixed from columns comes apart again', () => {
  const columns = Array.from({ length: 12 }, column);
  const weights = [0, 2, 0, 0, 0.3, 0, 0, 0, 1, 0, 0, 0];
  const target = Float64Array.from({ length: 60 }, (_, row) =>
    columns.reduce((sum, values, index) => sum + (weights[index] as number) * (values[row] as number), 0),
  );
  for (const [index, weight] of regress(columns, target).entries())
    expect(weight).toBeCloseTo(weights[index] as number, 1);
});

test('at the solution no weight can be changed for the better', () => {
  const columns = Array.from({ length: 8 }, column);
  const target = column().map((value, row) => value - (row % 2) * 900);
  const weights = regress(columns, target);
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
  expect([...regress([new Float64Array(60)], column())]).toEqual([0]);
  expect([...regress([], column())]).toEqual([]);
});

test('a part of the equations is the regression on those columns, and tells what it explains', () => {
  const columns = Array.from({ length: 9 }, column);
  const target = column();
  const own = columns.slice(3, 7);
  const part = partOf(normalEquations(columns, target), 3, 4);
  const weights = solveNonnegative(part);
  expect([...weights]).toEqual([...regress(own, target)]);
  const left = target.map((value, row) =>
    own.reduce((rest, values, index) => rest - (weights[index] as number) * (values[row] as number), value),
  );
  expect((dot(target, target) - dot(left, left)) / explainedSquare(part, weights)).toBeCloseTo(1, 12);
});

const dot = (one: Float64Array, other: Float64Array): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] as number), 0);
