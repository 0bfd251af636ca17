import { DAY_MS } from '../domain/slot.js';
import { lastOf, pointAt, type RegisterPoint, type RegisterPoints } from './register-points.js';
import type { Accumulator } from './slot-accumulator.js';
import type { Neighbour } from './slot-energy.js';
import type { SlotRows } from './slot-rows.js';

/** The nearest slot with a reading of the register; its point has the time since 1970. */
export interface Found {
  readonly slotStartMs: number;
  readonly point: Neighbour;
}

/**
 * Field by field: V8 gives each object that was spread and then got another kind of number a shape of its own, some
 * 300 bytes for every meter.
 */
export const foundIn = (slotStartMs: number, { atMs, dwh, anew, raised }: RegisterPoint): Found => ({
  slotStartMs,
  point: { atMs: slotStartMs + atMs, dwh, anew, raised, sealed: false },
});

export interface Neighbours {
  before(meter: number, slotStartMs: number): Found | null;
  after(meter: number, slotStartMs: number): Found | null;
}

interface Parts {
  readonly slotMs: number;
  readonly rows: SlotRows;
  /** Readings of the slot that are not in the file yet. */
  readonly open: (meter: number, slotStartMs: number) => Accumulator | undefined;
  readonly sealed: Sealed;
  readonly newestOf: (meter: number) => Newest;
}

/**
 * When in a packed day the register was last read, and what it had counted at the end of that day; null: it has no
 * register; undefined: the day is not packed.
 */
export type Sealed = (meter: number, day: number) => { readonly atMs: number; readonly dwh: number } | null | undefined;

/** Of one meter in the file; -1 where there is none. */
export interface Newest {
  readonly slotStartMs: number;
  /** Later slots have no register. */
  readonly registerMs: number;
}

/** Slot by slot, a microsecond each: there is no index by meter. A register that was silent for longer begins anew. */
const REACH_DAYS = 45;

export function createNeighbours({ slotMs, rows, open, newestOf, sealed }: Parts): Neighbours {
  const registersOf = (meter: number, slotStartMs: number): Readonly<RegisterPoints> =>
    (
      open(meter, slotStartMs) ??
      (slotStartMs <= newestOf(meter).slotStartMs ? rows.load(meter, slotStartMs)?.slot : undefined)
    )?.registers ?? [];

  const found = (slotStartMs: number, point: RegisterPoint | undefined): Found | undefined =>
    point === undefined ? undefined : foundIn(slotStartMs, point);

  /** Of a packed day only what the register had counted at its end is known. */
  function packedFrom(meter: number, slotStartMs: number): Found | null | undefined {
    if (slotStartMs > newestOf(meter).slotStartMs) return undefined;
    const last = sealed(meter, Math.floor(slotStartMs / DAY_MS));
    if (last === undefined || last === null) return last;
    const lastSlotMs = Math.floor(last.atMs / slotMs) * slotMs;
    if (lastSlotMs < slotStartMs) return null;
    return {
      slotStartMs: lastSlotMs,
      point: { atMs: last.atMs, dwh: last.dwh, anew: false, raised: false, sealed: true },
    };
  }

  /** What it had not counted by then flowed afterwards, for all that is known. */
  function packedBefore(meter: number, start: number, slotStartMs: number): Found | null | undefined {
    const packed = packedFrom(meter, start);
    if (packed === undefined || packed === null) return packed;
    const dayEndMs = (Math.floor(start / DAY_MS) + 1) * DAY_MS;
    const endMs = dayEndMs <= slotStartMs ? dayEndMs : packed.slotStartMs + slotMs;
    return { slotStartMs: endMs - slotMs, point: { ...packed.point, atMs: endMs } };
  }

  return {
    before(meter, slotStartMs) {
      const { registerMs } = newestOf(meter);
      if (registerMs < 0) return null;
      const from = Math.min(slotStartMs - slotMs, registerMs);
      for (let start = from; start > from - REACH_DAYS * DAY_MS; start -= slotMs) {
        const near = packedBefore(meter, start, slotStartMs) ?? found(start, lastOf(registersOf(meter, start)));
        if (near !== undefined) return near;
      }
      return null;
    },
    after(meter, slotStartMs) {
      const newest = newestOf(meter);
      // Up to the last reading of the newest packed day all is counted, whatever lies open before it.
      for (let start = slotStartMs; start <= newest.registerMs; start += DAY_MS) {
        const packed = packedFrom(meter, start === slotStartMs ? start : dayStartOf(start));
        if (packed !== undefined && packed !== null) return packed;
      }
      const end = Math.max(newest.registerMs, slotStartMs + DAY_MS);
      for (let start = slotStartMs + slotMs; start <= end; start += slotMs) {
        const near = found(start, pointAt(registersOf(meter, start), 0));
        if (near !== undefined) return near;
      }
      return null;
    },
  };
}

const dayStartOf = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
