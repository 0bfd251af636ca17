import { bytesFrom } from '../base64.js';
import { KERNELS } from './kernels.gen.js';

/** A place in the memory of the kernels, in bytes. */
export type Address = number;

/** As many rows as are computed at a time, so many numbers apart; how many of them are meant depends on who asks. */
export interface Rows {
  readonly at: Address;
  readonly size: number;
}

type Kernel = (...places: number[]) => void;
type KernelName =
  | 'levels'
  | 'normalise'
  | 'fillGaps'
  | 'seasons'
  | 'analogs'
  | 'usualMoves'
  | 'decode'
  | 'copyRows'
  | 'compress'
  | 'meansOfTwelve'
  | 'patches'
  | 'dense'
  | 'lstm'
  | 'widen'
  | 'silu'
  | 'blend'
  | 'fan';

/** What kernels/kernels.ts exports; what each number stands for is said where it is written. */
export type Kernels = Readonly<Record<KernelName, Kernel>>;

/** The kernels, and the memory they compute in. */
export interface Machine {
  readonly kernels: Kernels;
  floats(at: Address, count: number): Float32Array;
  doubles(at: Address, count: number): Float64Array;
  integers(at: Address, count: number): Int32Array;
}

export const FLOAT_BYTES = 4;
export const DOUBLE_BYTES = 8;
const PAGE_BYTES = 65_536;
/** Static data of the compiler would stand from here on: the kernels have none. */
const FIRST_ADDRESS = 1_024;
const CACHE_LINE = 64;

/** A multiple of four, as the kernels want it. From 8 to 64 speed is the same; memory is not. */
export const ROWS = 32;

/** Of one of the rows. */
export const placeOf = ({ at, size }: Rows, row: number): Address => at + row * size * FLOAT_BYTES;

/** Hands out places in a memory that is made when all are known, and never grows again. */
export interface Layout {
  rows(size: number): Rows;
  /** Room for so many numbers of four bytes. */
  room(count: number): Address;
  constant(values: Float32Array | Int16Array | Int32Array): Address;
  build(): Machine;
}

export function createLayout(): Layout {
  let next = FIRST_ADDRESS;
  const constants: { readonly at: Address; readonly bytes: Uint8Array }[] = [];

  function take(bytes: number): Address {
    const at = next;
    next += Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
    return at;
  }

  return {
    rows: (size) => ({ at: take(ROWS * size * FLOAT_BYTES), size }),
    room: (count) => take(count * FLOAT_BYTES),
    constant({ buffer, byteOffset, byteLength }) {
      const at = take(byteLength);
      constants.push({ at, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
      return at;
    },
    build() {
      const { kernels, memory } = instantiate();
      memory.grow(Math.max(0, Math.ceil((next - memory.buffer.byteLength) / PAGE_BYTES)));
      const all = new Uint8Array(memory.buffer);
      for (const { at, bytes } of constants) all.set(bytes, at);
      return {
        kernels,
        floats: (at, count) => new Float32Array(memory.buffer, at, count),
        doubles: (at, count) => new Float64Array(memory.buffer, at, count),
        integers: (at, count) => new Int32Array(memory.buffer, at, count),
      };
    },
  };
}

let compiled: WebAssembly.Module | undefined;

function instantiate(): { kernels: Kernels; memory: WebAssembly.Memory } {
  compiled ??= new WebAssembly.Module(bytesFrom(KERNELS));
  const { memory, ...kernels } = new WebAssembly.Instance(compiled).exports;
  return { kernels: kernels as Kernels, memory: memory as WebAssembly.Memory };
}
