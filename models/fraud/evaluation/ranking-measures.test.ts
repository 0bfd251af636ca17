import { expect, test } from 'vitest';
import { areaUnderRoc, averagePrecision, cutsOf } from './ranking-measures.js';

const labels = [0, 0, 1, 1];

test('the example of scikit-learn’s own pages', () => {
  const judged = { scores: [0.1, 0.4, 0.35, 0.8], labels };
  expect(areaUnderRoc(judged)).toBeCloseTo(0.75, 12);
  expect(averagePrecision(judged)).toBeCloseTo(0.8333333333333333, 12);
});

test('the best order, the worst, and no order at all', () => {
  expect(areaUnderRoc({ scores: [1, 2, 3, 4], labels })).toBe(1);
  expect(areaUnderRoc({ scores: [4, 3, 2, 1], labels })).toBe(0);
  expect(areaUnderRoc({ scores: [5, 5, 5, 5], labels })).toBe(0.5);
  expect(averagePrecision({ scores: [5, 5, 5, 5], labels })).toBe(0.5);
});

test('equal scores stand or fall together', () => {
  expect(cutsOf({ scores: [2, 1, 2, 1], labels })).toEqual([
    { score: 2, truePositives: 1, falsePositives: 1 },
    { score: 1, truePositives: 2, falsePositives: 2 },
  ]);
});

test('without one of either kind there is no area', () => {
  expect(areaUnderRoc({ scores: [1, 2], labels: [0, 0] })).toBeNaN();
});
