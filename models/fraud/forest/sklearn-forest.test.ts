import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type IsolationForest, scoreRow, scoreRows } from './forest.js';
import { packForest, parseForest } from './forest-file.js';
import { LEAF } from './forest-nodes.js';
import { trainForest } from './forest-training.js';
import { createNumpyRandom } from './numpy-random.js';
import { parseSklearnForest } from './sklearn-forest.js';

const FEATURES = 6;
const unpacked = async (name: string): Promise<Buffer> =>
  gunzipSync(await readFile(new URL(`./fixtures/${name}`, import.meta.url)));

/** The same numbers as in export-sklearn.py. */
function drawRows(count: number, seed: number, fourth: (draw: number, value: number) => number): Float32Array {
  const random = createNumpyRandom(seed);
  return Float32Array.from({ length: count * FEATURES }, (_, index) => {
    const draw = random.upTo(1_000_000);
    const value = Math.fround(draw / 1_000 - 500);
    return index % FEATURES === 3 ? fourth(draw, value) : value;
  });
}
const asked = drawRows(10_000, 21, (_, value) => roundHalfToEven(Math.fround(value / 150)));
const trainedOn = drawRows(2_000, 20, (draw) => draw % 4);
for (let row = 0; row < 1_000; row++) trainedOn[row * FEATURES + 2] = 0;

function roundHalfToEven(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

const exported: unknown = JSON.parse((await unpacked('sklearn-forest.json.gz')).toString());
const scores = new Float64Array(Uint8Array.from(await unpacked('sklearn-scores.f64.gz')).buffer);

function theirs(json: unknown = exported): IsolationForest {
  const forest = parseSklearnForest(json);
  if ('reason' in forest) throw new Error(forest.reason);
  return forest;
}

const largestDifference = (ours: Float64Array): number =>
  ours.reduce((largest, score, row) => Math.max(largest, Math.abs(score - (scores[row] as number))), 0);

test('the trees of scikit-learn give its scores of 10,000 rows to 12 digits', () => {
  expect(scores).toHaveLength(10_000);
  expect(new Set(scores).size).toBeGreaterThan(5_000);
  expect(largestDifference(scoreRows(theirs(), asked))).toBeLessThan(1e-12);
});

test('and still do when packed into a bundle', () => {
  const read = parseForest(packForest(theirs()));
  if ('reason' in read) throw new Error(read.reason);
  expect(largestDifference(scoreRows(read, asked))).toBeLessThan(1e-12);
});

test('the same seed grows the same trees here, node by node', () => {
  const ours = trainForest({ rows: trainedOn, features: FEATURES, trees: 50, subsample: 256, seed: 7 });
  expect(ours).toEqual(theirs());
});

test('another seed grows others, which would be noticed', () => {
  const ours = trainForest({ rows: trainedOn, features: FEATURES, trees: 50, subsample: 256, seed: 8 });
  expect(largestDifference(scoreRows(ours, asked))).toBeGreaterThan(1e-3);
});

test('a value that stands on a threshold goes left, the next float32 goes right', () => {
  const forest = theirs();
  const inner = forest.nodes.feature.findIndex((feature) => feature !== LEAF);
  const split = forest.nodes.feature[inner] as number;
  const threshold = forest.nodes.threshold[inner] as number;
  const row = new Float32Array(FEATURES);
  row[split] = threshold;
  const left = scoreRow(forest, row);
  row[split] = threshold + Math.abs(threshold) * 2 ** -23;
  expect(row[split]).toBeGreaterThan(threshold);
  expect(scoreRow(forest, row)).not.toBe(left);
});

test('what cannot be walked is refused with the tree and the node', () => {
  const [tree] = (exported as { trees: Record<string, number[]>[] }).trees;
  const withTree = (change: Record<string, number[]>) => ({
    max_samples: 256,
    n_features: FEATURES,
    trees: [{ ...tree, ...change }],
  });
  const left = tree?.['children_left'] ?? [];
  expect(parseSklearnForest(withTree({ children_left: [0, ...left.slice(1)] }))).toEqual({
    reason: expect.stringMatching(/^tree 0: node 0/),
  });
  expect(parseSklearnForest(withTree({ threshold: [1] }))).toEqual({ reason: expect.stringContaining('lengths') });
  expect(parseSklearnForest(withTree({ feature: left.map(() => 9) }))).toEqual({
    reason: expect.stringContaining('feature 9'),
  });
  expect(parseSklearnForest({ trees: [] })).toHaveProperty('reason');
});
