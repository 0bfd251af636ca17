import { type Random, seededRandom } from '../../agent/domain/clock.js';
import { averagePathLength, type IsolationForest, LEAF } from './forest.js';

export interface ForestOptions {
  /** Row by row, `features` values each. */
  readonly rows: Float32Array;
  readonly features: number;
  readonly trees: number;
  readonly subsample: number;
  readonly seed: number;
}

/** As in scikit-learn: a feature that varies by less counts as constant. */
const CONSTANT_BELOW = 1e-7;

interface Growing {
  readonly rows: Float32Array;
  readonly features: number;
  readonly maxDepth: number;
  readonly random: Random;
  readonly feature: number[];
  readonly threshold: number[];
  readonly right: number[];
  readonly size: number[];
}

export function trainForest({ rows, features, trees, subsample, seed }: ForestOptions): IsolationForest {
  const count = Math.floor(rows.length / features);
  const taken = Math.min(subsample, count);
  const growing: Growing = {
    rows,
    features,
    maxDepth: Math.ceil(Math.log2(Math.max(taken, 2))),
    random: seededRandom(seed),
    feature: [],
    threshold: [],
    right: [],
    size: [],
  };
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  const roots = Uint32Array.from({ length: trees }, () => grow(growing, draw(order, taken, growing.random), 0));
  return {
    subsample: taken,
    features,
    roots,
    nodes: {
      feature: Int16Array.from(growing.feature),
      threshold: Float64Array.from(growing.threshold),
      right: Uint32Array.from(growing.right),
      size: Uint32Array.from(growing.size),
      expected: Float64Array.from(growing.size, averagePathLength),
    },
  };
}

/** Without replacement: the first steps of a Fisher-Yates shuffle, which may go on from any order. */
function draw(order: Uint32Array, count: number, random: Random): Uint32Array {
  for (let index = 0; index < count; index++) {
    const other = index + Math.floor(random() * (order.length - index));
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
  return order.slice(0, count);
}

function grow(tree: Growing, members: Uint32Array, depth: number): number {
  const node = tree.feature.length;
  tree.feature.push(LEAF);
  tree.threshold.push(0);
  tree.right.push(0);
  tree.size.push(members.length);
  const split = members.length < 2 || depth >= tree.maxDepth ? undefined : chooseSplit(tree, members);
  if (split === undefined) return node;
  const value = (member: number) => tree.rows[member * tree.features + split.feature] as number;
  tree.feature[node] = split.feature;
  tree.threshold[node] = split.threshold;
  grow(
    tree,
    members.filter((member) => value(member) <= split.threshold),
    depth + 1,
  );
  tree.right[node] = grow(
    tree,
    members.filter((member) => value(member) > split.threshold),
    depth + 1,
  );
  return node;
}

/** A feature at random among those that vary here, and a threshold uniformly between its ends. */
function chooseSplit(tree: Growing, members: Uint32Array): { feature: number; threshold: number } | undefined {
  const untried = Array.from({ length: tree.features }, (_, feature) => feature);
  while (untried.length > 0) {
    const [feature = 0] = untried.splice(Math.floor(tree.random() * untried.length), 1);
    const { min, max } = ends(tree, members, feature);
    if (max <= min + CONSTANT_BELOW) continue;
    // Rounded to float32, which is how the bundle keeps it; a threshold at the upper end would split nothing off.
    const threshold = Math.fround(min + tree.random() * (max - min));
    return { feature, threshold: threshold >= max ? min : threshold };
  }
  return undefined;
}

function ends(tree: Growing, members: Uint32Array, feature: number): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const member of members) {
    const value = tree.rows[member * tree.features + feature] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
