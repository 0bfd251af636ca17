import { seededRandom } from '../../../agent/domain/clock.js';
import { binColumns, binOf } from '../../boosting/bins.js';
import { growTree, type Tree, valueAt } from '../../boosting/tree.js';

export interface BoostingOptions {
  /** Row by row. */
  readonly rows: Float32Array;
  readonly features: number;
  /** 0 or 1. */
  readonly labels: Uint8Array;
  readonly seed: number;
  readonly rounds?: number;
}

/** Gradient-boosted trees for two classes. */
export interface BoostedTrees {
  readonly features: number;
  readonly bias: number;
  readonly edges: readonly Float32Array[];
  readonly trees: readonly Tree[];
}

const ROUNDS = 150;
const GROWTH = { depth: 4, rate: 0.08, leastWeight: 5, l2: 5 };

export function trainBoostedTrees({ rows, features, labels, seed, rounds = ROUNDS }: BoostingOptions): BoostedTrees {
  const random = seededRandom(seed);
  const binned = binColumns(rows, features);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const bias = Math.log((positives + 1) / (labels.length - positives + 1));
  const logOdds = new Float64Array(labels.length).fill(bias);
  const gradient = new Float64Array(labels.length);
  const weight = new Float64Array(labels.length);
  const trees: Tree[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [row, odds] of logOdds.entries()) {
      const probability = 1 / (1 + Math.exp(-odds));
      gradient[row] = (labels[row] as number) - probability;
      weight[row] = Math.max(probability * (1 - probability), 1e-6);
    }
    const tree = growTree(binned, { gradient, weight, random, ...GROWTH });
    trees.push(tree);
    for (let row = 0; row < logOdds.length; row++)
      logOdds[row] =
        (logOdds[row] as number) + valueAt(tree, (feature) => binned.bins[row * features + feature] as number);
  }
  return { features, bias, edges: binned.edges, trees };
}

/** Log odds of label 1. */
export function boostedScore({ bias, edges, trees }: BoostedTrees, row: Float32Array): number {
  const bins = edges.map((edge, feature) => binOf(edge, row[feature] as number));
  return trees.reduce((sum, tree) => sum + valueAt(tree, (feature) => bins[feature] as number), bias);
}
