import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import { type BinnedRows, binColumns, binOf } from './bins.js';

export interface BoostingOptions {
  /** Row by row. */
  readonly rows: Float32Array;
  readonly features: number;
  /** 0 or 1. */
  readonly labels: Uint8Array;
  readonly seed: number;
  readonly rounds?: number;
}

/** Gradient-boosted trees for two classes (Friedman 2001), on histograms. */
export interface BoostedTrees {
  readonly features: number;
  readonly bias: number;
  readonly edges: readonly Float32Array[];
  readonly trees: readonly Tree[];
}

/** A complete tree in levels: children of n at 2n+1 and 2n+2. */
interface Tree {
  /** -1 where nothing is split. */
  readonly feature: Int16Array;
  /** A row goes left when its bin is not above it. */
  readonly bin: Uint8Array;
  readonly value: Float64Array;
}

const ROUNDS = 150;
const DEPTH = 4;
const RATE = 0.08;
/** Second derivatives that a leaf needs; with L2 it keeps a few odd rows from becoming a rule. */
const LEAST_WEIGHT = 5;
const L2 = 5;
/** Of the rows, what each tree sees. */
const ROW_SHARE = 0.6;
const NODES = 2 ** (DEPTH + 1) - 1;
const FIRST_LEAF = 2 ** DEPTH - 1;

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
    const tree = growTree(binned, { gradient, weight, random });
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

function valueAt(tree: Tree, binAt: (feature: number) => number): number {
  let node = 0;
  for (;;) {
    const feature = tree.feature[node] as number;
    if (feature < 0) return tree.value[node] as number;
    node = 2 * node + (binAt(feature) <= (tree.bin[node] as number) ? 1 : 2);
  }
}

interface Slopes {
  readonly gradient: Float64Array;
  readonly weight: Float64Array;
  readonly random: Random;
}

function growTree(binned: BinnedRows, { gradient, weight, random }: Slopes): Tree {
  const tree: Tree = {
    feature: new Int16Array(NODES).fill(-1),
    bin: new Uint8Array(NODES),
    value: new Float64Array(NODES),
  };
  const drawn: number[] = [];
  for (let row = 0; row < gradient.length; row++) if (random() < ROW_SHARE) drawn.push(row);

  function grow(node: number, members: Uint32Array): void {
    let g = 0;
    let w = 0;
    for (const row of members) {
      g += gradient[row] as number;
      w += weight[row] as number;
    }
    tree.value[node] = (RATE * g) / (w + L2);
    if (node >= FIRST_LEAF) return;
    const split = bestSplit(binned, { gradient, weight }, members);
    if (split === undefined) return;
    tree.feature[node] = split.feature;
    tree.bin[node] = split.bin;
    const goesLeft = (row: number) => (binned.bins[row * binned.features + split.feature] as number) <= split.bin;
    grow(2 * node + 1, members.filter(goesLeft));
    grow(
      2 * node + 2,
      members.filter((row) => !goesLeft(row)),
    );
  }
  grow(0, Uint32Array.from(drawn));
  return tree;
}

function bestSplit(
  { bins, features, edges }: BinnedRows,
  { gradient, weight }: Omit<Slopes, 'random'>,
  members: Uint32Array,
): { feature: number; bin: number } | undefined {
  let best: { feature: number; bin: number } | undefined;
  let bestGain = 1e-9;
  const sums = new Float64Array(2 * 256);
  for (let feature = 0; feature < features; feature++) {
    sums.fill(0);
    let g = 0;
    let w = 0;
    for (const row of members) {
      const at = 2 * (bins[row * features + feature] as number);
      sums[at] = (sums[at] as number) + (gradient[row] as number);
      sums[at + 1] = (sums[at + 1] as number) + (weight[row] as number);
      g += gradient[row] as number;
      w += weight[row] as number;
    }
    let leftG = 0;
    let leftW = 0;
    for (let bin = 0; bin < (edges[feature]?.length ?? 0); bin++) {
      leftG += sums[2 * bin] as number;
      leftW += sums[2 * bin + 1] as number;
      const rightW = w - leftW;
      if (leftW < LEAST_WEIGHT || rightW < LEAST_WEIGHT) continue;
      const gain = leftG ** 2 / (leftW + L2) + (g - leftG) ** 2 / (rightW + L2) - g ** 2 / (w + L2);
      if (gain <= bestGain) continue;
      bestGain = gain;
      best = { feature, bin };
    }
  }
  return best;
}
