import { z } from 'zod';
import { base64Of, bytesFrom } from '../../base64.js';
import { createForest, type IsolationForest, scoreRow } from './forest.js';
import { LEAF } from './forest-nodes.js';

/** A tree in preorder needs no pointers, inner nodes no sizes and leaves no thresholds: 8 bytes for each split. */
const MAX_TREES = 1_000;
const MAX_NODES = 1_000_000;
/** Deeper than any tree of a subsample that fits into memory. */
const MAX_DEPTH = 64;
const MAX_TEXT = 16 * 1024 * 1024;

const packed = z.string().max(MAX_TEXT);

export const forestFileSchema = z.strictObject({
  trees: z.int().min(1).max(MAX_TREES),
  features: z.int().min(1).max(255),
  subsample: z.int().min(1).max(65_535),
  /** One byte a node: the feature it splits on, 255 at a leaf. */
  splits: packed,
  /** Of inner nodes only, as float32, which decides as exactly as float64. */
  thresholds: packed,
  /** What the first bundles said of their thresholds. */
  exact: z.literal('float32').optional(),
  /** Of leaves only, as uint16. */
  sizes: packed,
  /** What the forest gave for PROBES where it was made; the first bundles have none. */
  golden: z.array(z.number().min(0).max(1)).max(64).optional(),
});

export type ForestFile = z.infer<typeof forestFileSchema>;

const LEAF_BYTE = 255;
const THRESHOLD_BYTES = 4;

export function packForest(forest: IsolationForest): ForestFile {
  const { subsample, features, roots, nodes } = forest;
  return {
    trees: roots.length,
    features,
    subsample,
    splits: base64Of(Uint8Array.from(nodes.feature, (feature) => (feature === LEAF ? LEAF_BYTE : feature))),
    thresholds: base64Of(nodes.threshold.filter((_, node) => nodes.feature[node] !== LEAF)),
    sizes: base64Of(Uint16Array.from(nodes.size.filter((_, node) => nodes.feature[node] === LEAF))),
    golden: probe(forest),
  };
}

const PROBES = 8;
/** Powers and logarithms may differ in their last digits from one processor to the next. */
const SAME_SCORE = 1e-9;

/** The scores of rows that differ in every feature, from nothing to a little above the largest evidence. */
const probe = (forest: IsolationForest): number[] =>
  Array.from({ length: PROBES }, (_, row) =>
    scoreRow(
      forest,
      Float32Array.from({ length: forest.features }, (__, feature) => ((row * 7 + feature * 5) % 19) / 2),
    ),
  );

function givesGolden(forest: IsolationForest, golden: readonly number[]): boolean {
  const given = probe(forest);
  return (
    golden.length === PROBES && golden.every((score, row) => Math.abs(score - (given[row] as number)) < SAME_SCORE)
  );
}

/** The forest, or why the file holds none. */
export function parseForest(file: ForestFile): IsolationForest | { readonly reason: string } {
  const splits = bytesFrom(file.splits);
  const thresholdBytes = bytesFrom(file.thresholds).buffer;
  const sizeBytes = bytesFrom(file.sizes).buffer;
  const leaves = splits.reduce((count, split) => count + (split === LEAF_BYTE ? 1 : 0), 0);
  if (splits.length === 0 || splits.length > MAX_NODES) return { reason: `${splits.length} nodes` };
  if (thresholdBytes.byteLength !== (splits.length - leaves) * THRESHOLD_BYTES)
    return { reason: 'thresholds do not match splits' };
  if (sizeBytes.byteLength !== leaves * 2) return { reason: 'sizes do not match splits' };
  const thresholds = new Float32Array(thresholdBytes);
  if (!thresholds.every(Number.isFinite)) return { reason: 'a threshold is not a number' };
  return assemble(file, { splits, thresholds, sizes: new Uint16Array(sizeBytes) });
}

interface Packed {
  readonly splits: Uint8Array;
  readonly thresholds: Float32Array;
  readonly sizes: Uint16Array;
}

function assemble(file: ForestFile, { splits, thresholds, sizes }: Packed): IsolationForest | { reason: string } {
  const feature = new Int16Array(splits.length);
  const threshold = new Float32Array(splits.length);
  const right = new Uint32Array(splits.length);
  const size = new Uint32Array(splits.length);
  const roots = new Uint32Array(file.trees);
  let node = 0;
  let inner = 0;
  let leaf = 0;

  function readTree(depth: number): boolean {
    const here = node++;
    const split = splits[here];
    if (split === undefined || depth > MAX_DEPTH) return false;
    if (split === LEAF_BYTE) {
      feature[here] = LEAF;
      size[here] = sizes[leaf++] as number;
      return true;
    }
    if (split >= file.features) return false;
    feature[here] = split;
    threshold[here] = thresholds[inner++] as number;
    if (!readTree(depth + 1)) return false;
    right[here] = node;
    if (!readTree(depth + 1)) return false;
    size[here] = (size[here + 1] as number) + (size[right[here] as number] as number);
    return true;
  }

  for (let tree = 0; tree < file.trees; tree++) {
    roots[tree] = node;
    if (!readTree(0)) return { reason: `tree ${tree} is cut short or splits on an unknown feature` };
    if (size[roots[tree] as number] !== file.subsample) return { reason: `tree ${tree} loses rows` };
  }
  if (node !== splits.length) return { reason: `${splits.length - node} nodes belong to no tree` };
  const forest = createForest({
    subsample: file.subsample,
    features: file.features,
    roots,
    nodes: { feature, threshold, right, size },
  });
  const isGolden = file.golden === undefined || givesGolden(forest, file.golden);
  return isGolden ? forest : { reason: 'the forest does not give its golden scores' };
}
