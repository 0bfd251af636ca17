/** Rows whose values were replaced by the number of their bin. */
export interface BinnedRows {
  readonly features: number;
  readonly bins: Uint8Array;
  /** Of each feature, rising: bin n holds what is above edge n-1 and not above edge n. */
  readonly edges: readonly Float32Array[];
}

/** More bins make histograms slower and nothing better here. */
const BINS = 48;

/** Edges stand at quantiles of the distinct values, so that a value that most rows share takes one bin only. */
export function binColumns(rows: Float32Array, features: number): BinnedRows {
  const count = Math.floor(rows.length / features);
  const edges = Array.from({ length: features }, (_, feature) => {
    const column = Float32Array.from({ length: count }, (__, row) => rows[row * features + feature] as number).sort();
    const distinct = column.filter((value, at) => at === 0 || value !== column[at - 1]);
    const steps = Math.min(BINS - 1, distinct.length - 1);
    const chosen = Array.from(
      { length: steps },
      (__, step) => distinct[Math.floor(((step + 1) * distinct.length) / (steps + 1)) - 1] as number,
    );
    return Float32Array.from(new Set(chosen));
  });
  const bins = new Uint8Array(count * features);
  for (let row = 0; row < count; row++) {
    for (const [feature, edge] of edges.entries())
      bins[row * features + feature] = binOf(edge, rows[row * features + feature] as number);
  }
  return { features, bins, edges };
}

export function binOf(edges: Float32Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
