import { z } from 'zod';
import { base64Of, bytesFrom } from '../../base64.js';
import { fromHalfBits, halfBits, roundedToHalf } from '../../half.js';
import { type BitReader, createBitReader, createBitWriter } from './bits.js';
import { createForest, type IsolationForest, scoreRow } from './forest.js';
import { LEAF } from './forest-nodes.js';

/** A tree in preorder needs no pointers, inner nodes no sizes and leaves no thresholds: 23 bits for each split of a rounded forest. */
const MAX_TREES = 1_000;
const MAX_SPLITS = 500_000;
/** Deeper than any tree of a subsample that fits into memory. */
const MAX_DEPTH = 64;
const MAX_TEXT = 16 * 1024 * 1024;
const PROBES = 8;

const packed = z.string().max(MAX_TEXT);

export const forestFileSchema = z.strictObject({
  trees: z.int().min(1).max(MAX_TREES),
  features: z.int().min(1).max(255),
  subsample: z.int().min(1).max(65_535),
  /** Bits: 1 and what the node splits on, or 0 and how many rows ended there. */
  nodes: packed,
  /** Of inner nodes only. As float32 they decide as exactly as float64; in half of that where it loses nothing. */
  thresholds: packed,
  thresholdBits: z.union([z.literal(16), z.literal(32)]),
  /** What the forest gave for PROBES rows where it was made. */
  golden: z.array(z.number().min(0).max(1)).length(PROBES),
});

export type ForestFile = z.infer<typeof forestFileSchema>;

/** Thresholds of 11 bits, which take half the room in a bundle. Whatever is calibrated on the forest comes after it. */
export function roundThresholds(forest: IsolationForest): IsolationForest {
  const { nodes } = forest;
  return createForest({ ...forest, nodes: { ...nodes, threshold: roundedToHalf(nodes.threshold) } });
}

const widthOf = (features: number): number => Math.ceil(Math.log2(features));

export function packForest(forest: IsolationForest): ForestFile {
  const { subsample, features, roots, nodes } = forest;
  const written = createBitWriter();
  for (const [node, feature] of nodes.feature.entries()) {
    written.bits(feature === LEAF ? 0 : 1, 1);
    if (feature === LEAF) written.count(nodes.size[node] as number);
    else written.bits(feature, widthOf(features));
  }
  const thresholds = nodes.threshold.filter((_, node) => nodes.feature[node] !== LEAF);
  const isRounded = roundedToHalf(thresholds).every((rounded, index) => rounded === thresholds[index]);
  return {
    trees: roots.length,
    features,
    subsample,
    nodes: base64Of(written.bytes()),
    thresholds: base64Of(isRounded ? Uint16Array.from(thresholds, halfBits) : thresholds),
    thresholdBits: isRounded ? 16 : 32,
    golden: probe(forest),
  };
}

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
  return golden.every((score, row) => Math.abs(score - (given[row] as number)) < SAME_SCORE);
}

/** The forest, or why the file holds none. */
export function parseForest(file: ForestFile): IsolationForest | { readonly reason: string } {
  const { buffer } = bytesFrom(file.thresholds);
  if ((buffer.byteLength * 8) % file.thresholdBits !== 0) return { reason: 'thresholds are cut short' };
  const thresholds =
    file.thresholdBits === 16 ? Float32Array.from(new Uint16Array(buffer), fromHalfBits) : new Float32Array(buffer);
  if (thresholds.length > MAX_SPLITS) return { reason: `${thresholds.length} splits` };
  if (!thresholds.every(Number.isFinite)) return { reason: 'a threshold is not a number' };
  return assemble(file, { written: createBitReader(bytesFrom(file.nodes)), thresholds });
}

interface Packed {
  readonly written: BitReader;
  readonly thresholds: Float32Array;
}

function assemble(file: ForestFile, { written, thresholds }: Packed): IsolationForest | { reason: string } {
  const count = 2 * thresholds.length + file.trees;
  const feature = new Int16Array(count);
  const threshold = new Float32Array(count);
  const right = new Uint32Array(count);
  const size = new Uint32Array(count);
  const roots = new Uint32Array(file.trees);
  const width = widthOf(file.features);
  let node = 0;
  let inner = 0;

  function readTree(depth: number): boolean {
    const here = node++;
    if (depth > MAX_DEPTH || written.isBeyond()) return false;
    if (written.bits(1) === 0) {
      feature[here] = LEAF;
      size[here] = written.count();
      return true;
    }
    const split = written.bits(width);
    if (split >= file.features || inner >= thresholds.length) return false;
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
  if (inner !== thresholds.length || written.isShort()) return { reason: 'some nodes belong to no tree' };
  const forest = createForest({
    subsample: file.subsample,
    features: file.features,
    roots,
    nodes: { feature, threshold, right, size },
  });
  return givesGolden(forest, file.golden) ? forest : { reason: 'the forest does not give its golden scores' };
}
