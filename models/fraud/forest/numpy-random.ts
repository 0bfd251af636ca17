/** The random numbers of NumPy's RandomState, so that a seed means here what it means to scikit-learn. */
export interface NumpyRandom {
  /** Uniform among the integers from 0 to `highest`, that one included. */
  upTo(highest: number): number;
}

const SIZE = 624;
const OFFSET = 397;

/** MT19937 (Matsumoto, Nishimura 1998), seeded as NumPy does from one 32-bit number. */
export function createNumpyRandom(seed: number): NumpyRandom {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let index = 1; index < SIZE; index++) {
    const before = state[index - 1] as number;
    state[index] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + index;
  }
  let position = SIZE;

  function twist(): void {
    for (let index = 0; index < SIZE; index++) {
      const joined = ((state[index] as number) & 0x80000000) | ((state[(index + 1) % SIZE] as number) & 0x7fffffff);
      const odd = (joined & 1) === 1 ? 0x9908b0df : 0;
      state[index] = (state[(index + OFFSET) % SIZE] as number) ^ (joined >>> 1) ^ odd;
    }
    position = 0;
  }

  function next(): number {
    if (position === SIZE) twist();
    let value = state[position++] as number;
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    value ^= value >>> 18;
    return value >>> 0;
  }

  return {
    upTo(highest) {
      if (highest <= 0) return 0;
      const mask = 2 ** (32 - Math.clz32(highest)) - 1;
      let value: number;
      do value = (next() & mask) >>> 0;
      while (value > highest);
      return value;
    },
  };
}

/** As scikit-learn draws rows for one tree: `count` of `population` without replacement, in whichever of its ways applies. */
export function drawWithoutReplacement(random: NumpyRandom, population: number, count: number): Uint32Array {
  const share = count / population;
  if (share > 0.01 && share < 0.99) return shuffled(random, population).subarray(0, count);
  if (share < 0.2) return tracked(random, population, count);
  return reservoir(random, population, count);
}

function shuffled(random: NumpyRandom, population: number): Uint32Array {
  const order = Uint32Array.from({ length: population }, (_, index) => index);
  for (let index = population - 1; index > 0; index--) {
    const other = random.upTo(index);
    const kept = order[index] as number;
    order[index] = order[other] as number;
    order[other] = kept;
  }
  return order;
}

function tracked(random: NumpyRandom, population: number, count: number): Uint32Array {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(random.upTo(population - 1));
  return Uint32Array.from(drawn);
}

function reservoir(random: NumpyRandom, population: number, count: number): Uint32Array {
  const kept = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count; index < population; index++) {
    const place = random.upTo(index);
    if (place < count) kept[place] = index;
  }
  return kept;
}

/** Within a tree scikit-learn draws from a generator of its own: 31 bits of a xorshift (Marsaglia 2003). */
export function createXorshift(seed: number): () => number {
  let state = seed === 0 ? 1 : seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & XORSHIFT_MAX;
  };
}

export const XORSHIFT_MAX = 0x7fffffff;
