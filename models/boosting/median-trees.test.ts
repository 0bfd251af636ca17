import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { medianOfTrees, trainMedianTrees } from './median-trees.js';

const ROWS = 4_000;

/** Two features that matter, one that does not, and a noise whose mean lies far above its median. */
function skewed(seed: number) {
  const random = seededRandom(seed);
  const rows = Float32Array.from({ length: ROWS * 3 }, () => random());
  const medians = Float32Array.from({ length: ROWS }, (_, row) =>
    (rows[3 * row] as number) > 0.5 ? 4 * (rows[3 * row + 1] as number) : -1,
  );
  const targets = medians.map((median) => median + 8 * (random() ** 3 - 0.5 ** 3));
  return { rows, features: 3, medians, targets, weights: new Float32Array(ROWS).fill(1), seed };
}

test('what trees give is the median, on rows that they have not seen', () => {
  const model = trainMedianTrees({ ...skewed(1), rounds: 60 });
  const { rows, medians } = skewed(2);
  let error = 0;
  for (const [row, median] of medians.entries()) {
    error += Math.abs(medianOfTrees(model, rows.subarray(3 * row, 3 * row + 3)) - median) / ROWS;
  }
  // The mean of the noise lies at 1.
  expect(error).toBeLessThan(0.5);
});

test('a row that counts nothing changes nothing', () => {
  const { targets, weights, ...data } = skewed(3);
  const half = weights.map((_, row) => row % 2);
  const wild = targets.map((target, row) => (row % 2 === 0 ? 1e6 : target));
  const [one, other] = [targets, wild].map((each) =>
    trainMedianTrees({ ...data, targets: each, weights: half, rounds: 5 }),
  );
  expect(one?.base).toBe(other?.base);
  expect(medianOfTrees(other ?? skipped(), data.rows.subarray(0, 3))).toBeLessThan(20);
});

function skipped(): never {
  throw new Error('no trees were trained');
}
