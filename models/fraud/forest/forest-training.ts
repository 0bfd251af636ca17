import { createForest, floorToFloat32, type IsolationForest } from './forest.js';
import { LEAF } from './forest-nodes.js';
import { createNumpyRandom, createXorshift, drawWithoutReplacement, XORSHIFT_MAX } from './numpy-random.js';

export interface ForestOptions {
  /** Row by row, `features` values each. */
  readonly rows: Float32Array;
  readonly features: number;
  readonly trees: number;
  readonly subsample: number;
  /** 0 to 2^32 - 1; grows the trees that scikit-learn 1.2 grows with this `random_state`. */
  readonly seed: number;
}

/** As in scikit-learn: a feature that varies by less counts as constant. */
const CONSTANT_BELOW = Math.fround(1e-7);
const HIGHEST_SEED = 2 ** 31 - 2;

interface Nodes {
  readonly feature: number[];
  readonly threshold: number[];
  readonly right: number[];
  readonly size: number[];
}

export function trainForest({ rows, features, trees, subsample, seed }: ForestOptions): IsolationForest {
  const count = Math.floor(rows.length / features);
  const taken = Math.min(subsample, count);
  const maxDepth = Math.ceil(Math.log2(Math.max(taken, 2)));
  const nodes: Nodes = { feature: [], threshold: [], right: [], size: [] };
  const random = createNumpyRandom(seed);
  const seeds = Array.from({ length: trees }, () => random.upTo(HIGHEST_SEED));
  const roots = Uint32Array.from(seeds, (treeSeed) => {
    const members = drawWithoutReplacement(createNumpyRandom(treeSeed), count, taken);
    // Three generators follow from a tree's seed: of its rows, of its estimator, of its splits.
    const estimator = createNumpyRandom(createNumpyRandom(treeSeed).upTo(HIGHEST_SEED));
    const splits = createXorshift(estimator.upTo(XORSHIFT_MAX - 1));
    return growTree(nodes, members, { rows, features, maxDepth, splits });
  });
  return createForest({
    subsample: taken,
    features,
    roots,
    nodes: {
      feature: Int16Array.from(nodes.feature),
      threshold: Float32Array.from(nodes.threshold),
      right: Uint32Array.from(nodes.right),
      size: Uint32Array.from(nodes.size),
    },
  });
}

interface Growing {
  readonly rows: Float32Array;
  readonly features: number;
  readonly maxDepth: number;
  readonly splits: () => number;
}

/** Writes one tree in preorder and gives its root. */
function growTree(nodes: Nodes, drawn: Uint32Array, { rows, features, maxDepth, splits }: Growing): number {
  // Both live as long as the tree: which feature comes next depends on all draws before.
  const order = Uint32Array.from({ length: features }, (_, feature) => feature);
  const constant = new Uint32Array(features);

  /** A feature at random among those that vary here, and a threshold between its ends; undefined where none does. */
  function chooseSplit(members: Uint32Array, known: number) {
    let drawnConstants = 0;
    let total = known;
    let split: { readonly feature: number; readonly threshold: number } | undefined;
    while (split === undefined && features > total) {
      const found = total - known;
      let place = drawnConstants + (splits() % (features - found - drawnConstants));
      if (place < known) {
        swap(order, drawnConstants, place);
        drawnConstants += 1;
        continue;
      }
      place += found;
      const feature = order[place] as number;
      const { min, max } = endsOf(rows, { members, features, feature });
      if (max <= Math.fround(min + CONSTANT_BELOW)) {
        swap(order, place, total);
        total += 1;
        continue;
      }
      swap(order, features - 1, place);
      const threshold = ((max - min) * splits()) / XORSHIFT_MAX + min;
      // One at the upper end would split nothing off.
      split = { feature, threshold: threshold === max ? min : threshold };
    }
    // Siblings rely on the order of the constants that were known before.
    order.set(constant.subarray(0, known));
    constant.set(order.subarray(known, total), known);
    return { split, constants: total };
  }

  function grow(members: Uint32Array, depth: number, known: number): number {
    const node = nodes.feature.length;
    nodes.feature.push(LEAF);
    nodes.threshold.push(0);
    nodes.right.push(0);
    nodes.size.push(members.length);
    if (members.length < 2 || depth >= maxDepth) return node;
    const { split, constants } = chooseSplit(members, known);
    if (split === undefined) return node;
    const goesLeft = (member: number) => (rows[member * features + split.feature] as number) <= split.threshold;
    nodes.feature[node] = split.feature;
    nodes.threshold[node] = floorToFloat32(split.threshold);
    grow(members.filter(goesLeft), depth + 1, constants);
    nodes.right[node] = grow(
      members.filter((member) => !goesLeft(member)),
      depth + 1,
      constants,
    );
    return node;
  }

  return grow(drawn, 0, 0);
}

function swap(order: Uint32Array, one: number, other: number): void {
  const kept = order[one] as number;
  order[one] = order[other] as number;
  order[other] = kept;
}

function endsOf(
  rows: Float32Array,
  { members, features, feature }: { members: Uint32Array; features: number; feature: number },
): { min: number; max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const member of members) {
    const value = rows[member * features + feature] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
