/**
 * Seven bits of the eight: x86-64 without VNNI adds products of two neighbours (weights × inputs up to 255) in 16 bits that
 * saturate, and would answer otherwise than every other processor. 2 × 255 × 64 is still below 32,768.
 */
export const LARGEST_WEIGHT = 64;

/** One scale for each column, with zero at zero. */
export function quantiseColumns(
  values: Float32Array,
  columns: number,
): { readonly values: Int8Array; readonly scales: Float32Array } {
  const scales = new Float32Array(columns);
  for (const [index, value] of values.entries()) {
    const column = index % columns;
    scales[column] = Math.max(scales[column] as number, Math.abs(value) / LARGEST_WEIGHT);
  }
  const quantised = Int8Array.from(values, (value, index) => {
    const scale = scales[index % columns] as number;
    return scale === 0 ? 0 : Math.round(value / scale);
  });
  return { values: quantised, scales: scales.map((scale) => (scale === 0 ? 1 : scale)) };
}
