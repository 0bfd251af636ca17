import { type ForestNodes, LEAF } from './forest-nodes.js';
import { type ForestWalk, layOut, sumOfPaths, sumsOfPaths } from './forest-walk.js';

/** Isolation Forest (Liu, Ting, Zhou 2008) with the semantics of scikit-learn, number by number. */
export interface IsolationForest {
  /** Rows that each tree was grown from. */
  readonly subsample: number;
  readonly features: number;
  /** First node of each tree in the arrays of `nodes`. */
  readonly roots: Uint32Array;
  readonly nodes: ForestNodes;
  /** The same trees, for scoring. */
  readonly walk: ForestWalk;
}

/**
 * The largest float32 that is not above a threshold. Rows are float32, so that the split decides for each of them as
 * the threshold itself would, in half the bytes.
 */
export function floorToFloat32(threshold: number): number {
  const nearest = Math.fround(threshold);
  if (nearest <= threshold) return nearest;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, nearest);
  // Floats are ordered as their bits are, negative ones backwards; next below +0 is the smallest negative one.
  if (nearest === 0) return -(2 ** -149);
  bits.setInt32(0, bits.getInt32(0) + (nearest > 0 ? -1 : 1));
  return bits.getFloat32(0);
}

const EULER = 0.5772156649015329;

/** c(n): the mean path length of an unsuccessful search in a binary search tree of n rows. */
export function averagePathLength(rows: number): number {
  if (rows <= 1) return 0;
  if (rows === 2) return 1;
  return 2 * (Math.log(rows - 1) + EULER) - (2 * (rows - 1)) / rows;
}

/** Everything else follows from the nodes. */
export function createForest(given: {
  readonly subsample: number;
  readonly features: number;
  readonly roots: Uint32Array;
  readonly nodes: Omit<ForestNodes, 'expected'>;
}): IsolationForest {
  const nodes = { ...given.nodes, expected: Float64Array.from(given.nodes.size, averagePathLength) };
  return { ...given, nodes, walk: layOut(given.roots, nodes) };
}

/** 2^(-mean path / c(subsample)): near 1 is isolated early, near 0.5 is ordinary. */
export const scoreRow = (forest: IsolationForest, row: Float32Array): number =>
  scoreOf(forest, sumOfPaths(forest.walk, row));

const scoreOf = ({ roots, subsample }: IsolationForest, path: number): number =>
  2 ** (-path / roots.length / averagePathLength(subsample));

/**
 * The score, and for each feature by how much its splits shortened the row's path against the expected one; the
 * savings add up to c(subsample) minus the mean path. Negative: its splits kept the row among others.
 */
export function explainRow(forest: IsolationForest, row: Float32Array, savings: Float64Array): number {
  const { feature, threshold, right, expected } = forest.nodes;
  savings.fill(0);
  for (const root of forest.roots) {
    let node = root;
    let split = feature[node] as number;
    while (split !== LEAF) {
      const child = (row[split] as number) > (threshold[node] as number) ? (right[node] as number) : node + 1;
      savings[split] = (savings[split] as number) + (expected[node] as number) - (expected[child] as number) - 1;
      node = child;
      split = feature[node] as number;
    }
  }
  for (let index = 0; index < savings.length; index++)
    savings[index] = (savings[index] as number) / forest.roots.length;
  return scoreRow(forest, row);
}

/** The scores of many rows, one after the other in `rows`. */
export function scoreRows(forest: IsolationForest, rows: Float32Array): Float64Array {
  return sumsOfPaths(forest.walk, rows, forest.features).map((path) => scoreOf(forest, path));
}
