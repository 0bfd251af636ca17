import { seededRandom } from '../../agent/domain/clock.js';
import { type BinnedRows, binColumns, binOf } from './bins.js';
import { growTree, leafOf, type Tree, valueAt } from './tree.js';

export interface MedianOptions {
  /** Row by row. */
  readonly rows: Float32Array;
  readonly features: number;
  readonly targets: Float32Array;
  /** How much each row counts; 0 = not at all. */
  readonly weights: Float32Array;
  readonly seed: number;
  readonly rounds?: number;
}

/** Gradient-boosted trees whose sum is the median of what a row's target can be. */
export interface MedianTrees {
  readonly edges: readonly Float32Array[];
  readonly base: number;
  readonly trees: readonly Tree[];
}

const ROUNDS = 200;
const GROWTH = { depth: 6, rate: 0.1, leastWeight: 20, l2: 1 };

/** The absolute error has no curvature: trees are split by the signs of what is left, and a leaf holds its median. */
export function trainMedianTrees(options: MedianOptions): MedianTrees {
  const { rows, features, targets, weights, seed, rounds = ROUNDS } = options;
  const random = seededRandom(seed);
  const binned = binColumns(rows, features);
  const everyRow = [...targets.keys()];
  const base = weightedMedian(everyRow, targets, weights);
  const left = Float64Array.from(targets, (target) => target - base);
  const weight = Float64Array.from(weights);
  const gradient = new Float64Array(targets.length);
  const trees: Tree[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let row = 0; row < left.length; row++) {
      gradient[row] = Math.sign(left[row] as number) * (weight[row] as number);
    }
    const tree = growTree(binned, { gradient, weight, random, ...GROWTH });
    settleLeaves(tree, binned, { left, weights });
    trees.push(tree);
  }
  return { edges: binned.edges, base, trees };
}

/** Each leaf gets the median of what is left of its rows, which is then less. */
function settleLeaves(
  tree: Tree,
  { bins, features }: BinnedRows,
  { left, weights }: { left: Float64Array; weights: Float32Array },
): void {
  const members = new Map<number, number[]>();
  for (let row = 0; row < left.length; row++) {
    const leaf = leafOf(tree, (feature) => bins[row * features + feature] as number);
    const others = members.get(leaf);
    if (others === undefined) members.set(leaf, [row]);
    else others.push(row);
  }
  for (const [leaf, of] of members) {
    const value = GROWTH.rate * weightedMedian(of, left, weights);
    tree.value[leaf] = value;
    for (const row of of) left[row] = (left[row] as number) - value;
  }
}

function weightedMedian(rows: number[], values: ArrayLike<number>, weights: ArrayLike<number>): number {
  rows.sort((a, b) => (values[a] as number) - (values[b] as number));
  const half = rows.reduce((sum, row) => sum + (weights[row] as number), 0) / 2;
  let sum = 0;
  for (const row of rows) {
    sum += weights[row] as number;
    if (sum > half) return values[row] as number;
  }
  return 0;
}

export function medianOfTrees({ edges, base, trees }: MedianTrees, row: Float32Array): number {
  const bins = edges.map((edge, feature) => binOf(edge, row[feature] as number));
  return trees.reduce((sum, tree) => sum + valueAt(tree, (feature) => bins[feature] as number), base);
}
