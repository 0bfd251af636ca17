import { expect, test } from 'vitest';
import { QUANTILES } from '../horizons.js';
import { createErrorTables } from './error-tables.js';

const shape = {
  slotMinutes: 60,
  horizons: [
    { offset: 0, slots: 1 },
    { offset: 1, slots: 1 },
  ],
};
const group = { name: '1-2', steps: [0, 1], stride: 1 };
const tablesOf = (meters: number) =>
  createErrorTables({ shape, groups: [group], methods: ['model', 'naive'], meters, hourOf: (slot) => slot % 24 });

/** The median at 100 W, the others 10 W apart. */
const quantiles = Float32Array.from(QUANTILES, (_, index) => 100 + (index - 3) * 10);
const seen = { group: '1-2', meter: 0, origin: 5, step: 0, actual: 100, quantiles, points: [90] };

test('an error counts to the hour that was forecast and to its step, and every meter counts the same', () => {
  const tables = tablesOf(2);
  tables.observe({ ...seen, actual: 104 });
  tables.observe({ ...seen, actual: 108 });
  tables.observe({ ...seen, meter: 1, actual: 130 });
  tables.observe({ ...seen, step: 1, actual: 50 });
  const [{ byHour, byStep } = { byHour: [], byStep: [] }] = tables.groups();
  expect(byHour[0]?.errors[5]).toBe((6 + 30) / 2);
  expect(byHour[0]?.errors[6]).toBe(50);
  expect(byHour[0]?.errors[7]).toBeNaN();
  expect(byStep.map(({ errors }) => errors)).toEqual([
    [18, 50],
    [(16 + 40) / 2, 40],
  ]);
});

test('quantiles are judged by the share of actuals at or below them', () => {
  const tables = tablesOf(1);
  for (const actual of [60, 70, 100, 131]) tables.observe({ ...seen, actual });
  expect(tables.groups()[0]?.below).toEqual([0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.75]);
});

test('what belongs to no group that was asked for is not counted', () => {
  const tables = tablesOf(1);
  tables.observe({ ...seen, group: 'other' });
  expect(tables.groups()[0]?.below.every(Number.isNaN)).toBe(true);
});
