import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { averagePathLength, createForest, explainRow, floorToFloat32, scoreRow, scoreRows } from './forest.js';
import { forestFileSchema, packForest, parseForest, roundThresholds } from './forest-file.js';
import { LEAF } from './forest-nodes.js';
import { trainForest } from './forest-training.js';

test('c(n) is that of scikit-learn', () => {
  expect([0, 1, 2].map(averagePathLength)).toEqual([0, 0, 1]);
  expect(averagePathLength(3)).toBeCloseTo(1.207392357589623, 14);
  expect(averagePathLength(256)).toBeCloseTo(10.2447709, 7);
});

/** Five rows; x0 <= 0.5 takes one to the left, then x1 <= 2 takes three of four. */
const byHand = createForest({
  subsample: 5,
  features: 2,
  roots: Uint32Array.of(0),
  nodes: {
    feature: Int16Array.of(0, LEAF, 1, LEAF, LEAF),
    threshold: Float32Array.of(0.5, 0, 2, 0, 0),
    right: Uint32Array.of(2, 0, 4, 0, 0),
    size: Uint32Array.of(5, 1, 4, 3, 1),
  },
});

test('a tree small enough to follow by hand', () => {
  const c5 = averagePathLength(5);
  expect(scoreRow(byHand, Float32Array.of(0.5, 9))).toBeCloseTo(2 ** (-1 / c5), 14);
  expect(scoreRow(byHand, Float32Array.of(0.6, 2))).toBeCloseTo(2 ** (-(2 + averagePathLength(3)) / c5), 14);
  expect(scoreRow(byHand, Float32Array.of(0.6, 2.1))).toBeCloseTo(2 ** (-2 / c5), 14);
});

test('a value is compared as float32, as scikit-learn does', () => {
  const threshold = 0.1;
  const nodes = { ...byHand.nodes, threshold: Float32Array.of(floorToFloat32(threshold), 0, 2, 0, 0) };
  const forest = createForest({ ...byHand, nodes });
  // As float32, 0.1 is a little above 0.1: the row goes right.
  expect(scoreRow(forest, Float32Array.of(threshold, 9))).toBeCloseTo(2 ** (-2 / averagePathLength(5)), 14);
});

test('a threshold is rounded down to float32, whatever its sign', () => {
  for (const threshold of [0.1, -0.1, 0.5, -0.5, 0, 1e-60, -1e-60, 123_456_789.123, -123_456_789.123]) {
    const floored = floorToFloat32(threshold);
    expect(Math.fround(floored)).toBe(floored);
    expect(floored).toBeLessThanOrEqual(threshold);
    expect(threshold - floored).toBeLessThanOrEqual(Math.max(Math.abs(threshold) * 2 ** -23, 2 ** -149));
  }
});

function normalRows(count: number, features: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  const sum = () => random() + random() + random() + random() - 2;
  return Float32Array.from({ length: count * features }, sum);
}

const rows = normalRows(2_000, 4, 7);
const options = { rows, features: 4, trees: 50, subsample: 256, seed: 3 };

test('the same seed grows the same forest, another seed another', () => {
  const packed = JSON.stringify(packForest(trainForest(options)));
  expect(JSON.stringify(packForest(trainForest(options)))).toBe(packed);
  expect(JSON.stringify(packForest(trainForest({ ...options, seed: 4 })))).not.toBe(packed);
});

test('every tree holds the whole subsample, no deeper than eight', () => {
  const { nodes, roots, subsample } = trainForest(options);
  const depthBelow = (node: number): number => {
    if (nodes.feature[node] === LEAF) return 0;
    const right = nodes.right[node] as number;
    expect(nodes.size[node]).toBe((nodes.size[node + 1] as number) + (nodes.size[right] as number));
    return 1 + Math.max(depthBelow(node + 1), depthBelow(right));
  };
  for (const root of roots) {
    expect(nodes.size[root]).toBe(subsample);
    expect(depthBelow(root)).toBeLessThanOrEqual(8);
  }
});

test('far away is more isolated than in the middle', () => {
  const forest = trainForest(options);
  expect(scoreRow(forest, Float32Array.of(5, 5, 5, 5))).toBeGreaterThan(0.7);
  expect(scoreRow(forest, Float32Array.of(0, 0, 0, 0))).toBeLessThan(0.5);
});

test('the savings of all features add up to the path that was saved, and name the odd one', () => {
  const forest = trainForest(options);
  const savings = new Float64Array(4);
  const score = explainRow(forest, Float32Array.of(0, 0, 6, 0), savings);
  expect(score).toBe(scoreRow(forest, Float32Array.of(0, 0, 6, 0)));
  const meanPath = -Math.log2(score) * averagePathLength(256);
  expect(savings.reduce((sum, saving) => sum + saving, 0)).toBeCloseTo(averagePathLength(256) - meanPath, 10);
  expect(savings.indexOf(Math.max(...savings))).toBe(2);
});

test('rows that are all alike, and fewer than a subsample, make single leaves and no error', () => {
  const forest = trainForest({ ...options, rows: new Float32Array(40 * 4) });
  expect(forest.subsample).toBe(40);
  expect(forest.nodes.feature.every((feature) => feature === LEAF)).toBe(true);
  expect(scoreRow(forest, Float32Array.of(1, 2, 3, 4))).toBeCloseTo(0.5, 12);
});

test('a packed forest comes back as it was', () => {
  const forest = trainForest(options);
  const file = forestFileSchema.parse(JSON.parse(JSON.stringify(packForest(forest))));
  expect(parseForest(file)).toEqual(forest);
});

test('rounded to half the bits it splits nearly alike, and comes back as it was', () => {
  const exact = trainForest(options);
  const forest = roundThresholds(exact);
  const [file, larger] = [packForest(forest), packForest(exact)];
  expect([file.thresholdBits, larger.thresholdBits]).toEqual([16, 32]);
  expect(JSON.stringify(file).length).toBeLessThan(0.65 * JSON.stringify(larger).length);
  expect(parseForest(file)).toEqual(forest);
  const differences = Array.from({ length: 500 }, (_, row) => {
    const one = rows.subarray(row * 4, row * 4 + 4);
    return Math.abs(scoreRow(forest, one) - scoreRow(exact, one));
  });
  expect(Math.max(...differences)).toBeLessThan(0.01);
});

test('a damaged forest is refused with a reason', () => {
  const file = packForest(trainForest(options));
  expect(parseForest({ ...file, nodes: file.nodes.slice(0, -8) })).toHaveProperty('reason');
  expect(parseForest({ ...file, nodes: '' })).toHaveProperty('reason');
  expect(parseForest({ ...file, nodes: `AAAA${file.nodes}` })).toHaveProperty('reason');
  expect(parseForest({ ...file, nodes: `${file.nodes.replaceAll('=', '')}AAAA` })).toHaveProperty('reason');
  expect(parseForest({ ...file, thresholdBits: 16 })).toHaveProperty('reason');
  expect(parseForest({ ...file, thresholds: file.thresholds.slice(0, -8) })).toHaveProperty('reason');
  expect(parseForest({ ...file, features: 1 })).toHaveProperty('reason');
  expect(parseForest({ ...file, trees: file.trees + 1 })).toHaveProperty('reason');
  expect(parseForest({ ...file, trees: file.trees - 1 })).toHaveProperty('reason');
  expect(parseForest({ ...file, subsample: 255 })).toHaveProperty('reason');
  const other = packForest(trainForest({ ...options, seed: 4 }));
  expect(parseForest({ ...file, golden: other.golden })).toEqual({ reason: expect.stringContaining('golden') });
});

test('many rows at once have the very scores that each has alone, however many are left over', () => {
  const forest = trainForest(options);
  for (const count of [0, 1, 3, 4, 7, 101]) {
    const some = rows.subarray(0, count * 4);
    const alone = Array.from({ length: count }, (_, row) => scoreRow(forest, some.subarray(row * 4, (row + 1) * 4)));
    expect([...scoreRows(forest, some)]).toEqual(alone);
  }
});
