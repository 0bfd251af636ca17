import { z } from 'zod';
import { createForest, floorToFloat32, type IsolationForest } from './forest.js';
import { LEAF } from './forest-nodes.js';

const MAX_NODES = 1_000_000;
const index = z.int().min(-2).max(MAX_NODES);

const treeSchema = z.object({
  children_left: z.array(index).min(1),
  children_right: z.array(index),
  feature: z.array(index),
  threshold: z.array(z.number()),
  n_node_samples: z.array(z.int().positive()),
});

/** The arrays of scikit-learn's `tree_` objects; fixtures/export-sklearn.py writes them. */
const sklearnSchema = z.object({
  max_samples: z.int().min(1),
  n_features: z.int().min(1).max(255),
  trees: z.array(treeSchema).min(1).max(1_000),
});

type SklearnTree = z.infer<typeof treeSchema>;

/** A forest that scikit-learn trained, or why the file holds none. */
export function parseSklearnForest(json: unknown): IsolationForest | { readonly reason: string } {
  const parsed = sklearnSchema.safeParse(json);
  if (!parsed.success) return { reason: z.prettifyError(parsed.error) };
  const { trees, n_features: features, max_samples: subsample } = parsed.data;
  const total = trees.reduce((sum, tree) => sum + tree.feature.length, 0);
  if (total > MAX_NODES) return { reason: `${total} nodes` };
  const nodes = {
    feature: new Int16Array(total),
    threshold: new Float32Array(total),
    right: new Uint32Array(total),
    size: new Uint32Array(total),
  };
  const roots = new Uint32Array(trees.length);
  let root = 0;
  for (const [number, tree] of trees.entries()) {
    const fault = faultOf(tree, features);
    if (fault !== undefined) return { reason: `tree ${number}: ${fault}` };
    roots[number] = root;
    for (const [node, split] of tree.feature.entries()) {
      const inner = tree.children_left[node] !== LEAF;
      nodes.feature[root + node] = inner ? split : LEAF;
      nodes.threshold[root + node] = inner ? floorToFloat32(tree.threshold[node] as number) : 0;
      nodes.right[root + node] = inner ? root + (tree.children_right[node] as number) : 0;
      nodes.size[root + node] = tree.n_node_samples[node] as number;
    }
    root += tree.feature.length;
  }
  return createForest({ subsample, features, roots, nodes });
}

/** Children come after their parents, so that every walk ends; the left one comes next, as scikit-learn writes them. */
function faultOf(tree: SklearnTree, features: number): string | undefined {
  const { children_left: left, children_right: right, feature, threshold, n_node_samples: sizes } = tree;
  const count = left.length;
  if ([right, feature, threshold, sizes].some((column) => column.length !== count))
    return 'columns of different lengths';
  for (const [node, child] of left.entries()) {
    if (child === LEAF) continue;
    const other = right[node] as number;
    const split = feature[node] as number;
    if (child !== node + 1 || other <= child || other >= count) return `node ${node} has no children in preorder`;
    if (split < 0 || split >= features) return `node ${node} splits on feature ${split}`;
  }
  return undefined;
}
