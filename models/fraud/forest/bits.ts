/** Numbers one after the other without the unused bits between them. */
export interface BitWriter {
  /** The lowest `width` bits of a number, the highest first. */
  bits(value: number, width: number): void;
  /** A number from 1 on, short where it is small (Elias gamma): 1 takes one bit, 2 and 3 take three. */
  count(value: number): void;
  bytes(): Uint8Array;
}

export function createBitWriter(): BitWriter {
  const written: number[] = [];
  let held = 0;
  let free = 8;
  function bits(value: number, width: number): void {
    for (let at = width - 1; at >= 0; at--) {
      held = (held << 1) | ((value >>> at) & 1);
      free -= 1;
      if (free > 0) continue;
      written.push(held);
      [held, free] = [0, 8];
    }
  }
  return {
    bits,
    count(value) {
      const width = 32 - Math.clz32(value);
      bits(0, width - 1);
      bits(value, width);
    },
    bytes: () => Uint8Array.from(free === 8 ? written : [...written, held << free]),
  };
}

export interface BitReader {
  bits(width: number): number;
  count(): number;
  /** Whether more was asked for than there is; what came beyond the end were zeros. */
  isBeyond(): boolean;
  /** Whether whole bytes are left over. */
  isShort(): boolean;
}

const MOST_BITS = 31;

export function createBitReader(bytes: Uint8Array): BitReader {
  let at = 0;
  function bits(width: number): number {
    let value = 0;
    for (let end = at + width; at < end; at++) value = (value << 1) | (((bytes[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1);
    return value;
  }
  return {
    bits,
    count() {
      let zeros = 0;
      while (zeros < MOST_BITS && bits(1) === 0) zeros += 1;
      return zeros === MOST_BITS ? 0 : (1 << zeros) | bits(zeros);
    },
    isBeyond: () => at > bytes.length * 8,
    isShort: () => bytes.length * 8 - at >= 8,
  };
}
