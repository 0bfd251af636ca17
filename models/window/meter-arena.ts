/**
 * Equal blocks of numbers, one for each meter, in few large allocations: thousands of small arrays would cost the
 * garbage collector more than the models cost. A block is never moved and never given back.
 */
export interface MeterArena {
  /** A block filled with NaN. */
  add(): Float32Array;
  readonly bytes: number;
}

/** Blocks in one allocation: 0.7 MB at a time with the blocks of slot-windows.ts. */
const CHUNK_BLOCKS = 64;

export function createMeterArena(blockLength: number): MeterArena {
  const chunks: Float32Array[] = [];
  let used = CHUNK_BLOCKS;

  return {
    add() {
      if (used === CHUNK_BLOCKS) {
        chunks.push(new Float32Array(CHUNK_BLOCKS * blockLength).fill(Number.NaN));
        used = 0;
      }
      const from = used * blockLength;
      used += 1;
      return chunks.at(-1)?.subarray(from, from + blockLength) ?? new Float32Array(0);
    },
    get bytes() {
      return chunks.length * CHUNK_BLOCKS * blockLength * Float32Array.BYTES_PER_ELEMENT;
    },
  };
}
