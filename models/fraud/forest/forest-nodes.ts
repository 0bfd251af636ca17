/** All trees one after the other, each in preorder: the left child is the next node. */
export interface ForestNodes {
  /** What the node splits on; LEAF at a leaf. */
  readonly feature: Int16Array;
  /** A row goes left when its value, as float32, is not above it. */
  readonly threshold: Float32Array;
  readonly right: Uint32Array;
  /** Training rows that came to the node. */
  readonly size: Uint32Array;
  /** averagePathLength(size): the path that is still to be expected from here. */
  readonly expected: Float64Array;
}

export const LEAF = -1;
