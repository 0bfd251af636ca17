interface Quantised {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

const LARGEST = 127;

/** One scale for each column, with zero at zero. */
export function quantiseColumns(values: Float32Array, columns: number): Quantised {
  return quantise(values, columns, (at) => Math.abs(values[at] as number));
}

/**
 * The same for a matrix that is computed with as it is. An x86 processor without VNNI adds the products of two rows in
 * 16 bits and cuts off what is more: there a weight beyond what this leaves gives another forecast than where it was
 * trained. Inputs reach 255, so two rows may reach 128 together; rounding may add the last one of them.
 */
export function quantisePairedRows(values: Float32Array, columns: number): Quantised {
  return quantise(values, columns, (at) => {
    const isFirst = Math.floor(at / columns) % 2 === 0;
    const other = values[isFirst ? at + columns : at - columns] ?? 0;
    return Math.abs(values[at] as number) + Math.abs(other);
  });
}

/** `reach` says what must fit into int8 for the value at this place. */
function quantise(values: Float32Array, columns: number, reach: (at: number) => number): Quantised {
  const scales = new Float32Array(columns);
  for (let at = 0; at < values.length; at++) {
    const column = at % columns;
    scales[column] = Math.max(scales[column] as number, reach(at) / LARGEST);
  }
  const quantised = Int8Array.from(values, (value, index) => {
    const scale = scales[index % columns] as number;
    return scale === 0 ? 0 : Math.round(value / scale);
  });
  return { values: quantised, scales: scales.map((scale) => (scale === 0 ? 1 : scale)) };
}
