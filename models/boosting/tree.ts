import type { Random } from '../../agent/domain/clock.js';
import type { BinnedRows } from './bins.js';

/** A complete tree in levels: children of n at 2n+1 and 2n+2. */
export interface Tree {
  /** -1 where nothing is split. */
  readonly feature: Int16Array;
  /** A row goes left when its bin is not above it. */
  readonly bin: Uint8Array;
  readonly value: Float64Array;
}

/** What a tree is grown from, and how far. */
export interface Growth {
  /** Of each row: where the loss falls, and how fast that changes. */
  readonly gradient: Float64Array;
  readonly weight: Float64Array;
  readonly depth: number;
  readonly rate: number;
  /** Second derivatives that a leaf needs; with L2 it keeps a few odd rows from becoming a rule. */
  readonly leastWeight: number;
  readonly l2: number;
  readonly random: Random;
}

/** Of the rows, what each tree sees. */
const ROW_SHARE = 0.6;

/** One tree of a boosting (Friedman 2001), split on histograms; its leaves are Newton's steps. */
export function growTree(binned: BinnedRows, growth: Growth): Tree {
  const { gradient, weight, depth, rate, l2, random } = growth;
  const nodes = 2 ** (depth + 1) - 1;
  const firstLeaf = 2 ** depth - 1;
  const tree: Tree = {
    feature: new Int16Array(nodes).fill(-1),
    bin: new Uint8Array(nodes),
    value: new Float64Array(nodes),
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
    tree.value[node] = (rate * g) / (w + l2);
    if (node >= firstLeaf) return;
    const split = bestSplit(binned, growth, members);
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

/** The node at which a row ends. */
export function leafOf({ feature, bin }: Tree, binAt: (feature: number) => number): number {
  let node = 0;
  for (;;) {
    const split = feature[node] as number;
    if (split < 0) return node;
    node = 2 * node + (binAt(split) <= (bin[node] as number) ? 1 : 2);
  }
}

export const valueAt = (tree: Tree, binAt: (feature: number) => number): number =>
  tree.value[leafOf(tree, binAt)] as number;

function bestSplit(
  { bins, features, edges }: BinnedRows,
  { gradient, weight, leastWeight, l2 }: Growth,
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
      if (leftW < leastWeight || rightW < leastWeight) continue;
      const gain = leftG ** 2 / (leftW + l2) + (g - leftG) ** 2 / (rightW + l2) - g ** 2 / (w + l2);
      if (gain <= bestGain) continue;
      bestGain = gain;
      best = { feature, bin };
    }
  }
  return best;
}
