import type { EpochMs } from '../domain/brand.js';

/** Readings of one meter that a repeat is recognised against, at least: half a minute of resends at one a second. */
const LEAST_REMEMBERED = 32;
const MOST_REMEMBERED = 4_096;
/**
 * Of all meters together. A broker that held readings back sends its whole queue again after a crash, so that the fewer
 * meters there are, the further back a repeat of each can lie. 2.4 MB, and half a second to read at start.
 */
export const REMEMBERED_TOGETHER = 100_000;

/** How many readings of each meter are remembered when there are so many meters. */
export const rememberedOf = (meters: number): number =>
  Math.min(MOST_REMEMBERED, Math.max(LEAST_REMEMBERED, Math.floor(REMEMBERED_TOGETHER / Math.max(1, meters))));

/** Time, values, registers of one reading: three numbers side by side. */
const WIDTH = 3;
/** Before them: where the next one goes, and the latest time, than which none is later. */
const NEXT = 0;
const LATEST = 1;
const HEAD = 2;
/** Registers of a row from the buffer that are not those which the meter sent. */
export const REGISTERS_UNKNOWN = -1;
const EMPTY = Number.NaN;
/** 50 kB, which stay as long as one of them is needed. */
const RINGS_TOGETHER = 64;

export type Seen = 'new' | 'same' | 'other';

/** A reading as it was sent, reduced to what tells a repeat. */
export interface Print {
  readonly takenAtMs: EpochMs;
  readonly values: number;
  readonly registers: number;
}

/**
 * What one meter sent last, to tell a repeat from a reading without asking the disk: a ring that grows as it fills. All
 * that moves with a reading is in one place, because of many meters none is in a cache near the processor.
 */
export interface Recent {
  ring: Float64Array;
  /** Where it begins, and how many readings there is room for. */
  ringAt: number;
  ringRoom: number;
}

/**
 * Makes rings, one for each meter, and cuts many at a time out of one array: an array of its own costs each ring half
 * as much again. One that grows moves into its own.
 */
export function createRings(): () => Recent {
  let shared = emptyRings(0, LEAST_REMEMBERED);
  let used = 0;
  return () => {
    if (used === shared.length) {
      shared = emptyRings(RINGS_TOGETHER, LEAST_REMEMBERED);
      used = 0;
    }
    const recent = { ring: shared, ringAt: used, ringRoom: LEAST_REMEMBERED };
    used += HEAD + LEAST_REMEMBERED * WIDTH;
    return recent;
  };
}

function emptyRings(rings: number, room: number): Float64Array {
  const width = HEAD + room * WIDTH;
  const cells = new Float64Array(rings * width).fill(EMPTY);
  for (let at = 0; at < cells.length; at += width) {
    cells[at + NEXT] = 0;
    cells[at + LATEST] = Number.NEGATIVE_INFINITY;
  }
  return cells;
}

export function seenAt(recent: Recent, { takenAtMs, values, registers }: Print): Seen {
  const { ring, ringAt } = recent;
  // Nearly every reading is later than those before it; only what may be a repeat is looked for.
  if (takenAtMs > (ring[ringAt + LATEST] ?? 0)) return 'new';
  const end = endOf(recent);
  for (let cell = ringAt + HEAD; cell < end; cell += WIDTH) {
    if (ring[cell] === takenAtMs) return sameValues(ring, cell, { values, registers }) ? 'same' : 'other';
  }
  return 'new';
}

export function hasValues(recent: Recent, print: Omit<Print, 'takenAtMs'>): boolean {
  const end = endOf(recent);
  for (let cell = recent.ringAt + HEAD; cell < end; cell += WIDTH) {
    if (sameValues(recent.ring, cell, print)) return true;
  }
  return false;
}

const endOf = ({ ringAt, ringRoom }: Recent): number => ringAt + HEAD + ringRoom * WIDTH;

function sameValues(ring: Float64Array, cell: number, { values, registers }: Omit<Print, 'takenAtMs'>): boolean {
  if (ring[cell + 1] !== values) return false;
  const known = ring[cell + 2];
  return known === registers || known === REGISTERS_UNKNOWN;
}

/** Overwrites the oldest once `most` readings are there; gives what stood there, for `takeBack`. */
export function remember(recent: Recent, { takenAtMs, values, registers }: Print, most: number): Print {
  if (recent.ringRoom < most && !Number.isNaN(recent.ring[nextCellOf(recent)])) grow(recent, most);
  const { ring, ringAt, ringRoom } = recent;
  const cell = nextCellOf(recent);
  const before = {
    takenAtMs: ring[cell] as EpochMs,
    values: ring[cell + 1] ?? EMPTY,
    registers: ring[cell + 2] ?? EMPTY,
  };
  ring[cell] = takenAtMs;
  ring[cell + 1] = values;
  ring[cell + 2] = registers;
  ring[ringAt + NEXT] = (nextOf(recent) + 1) % ringRoom;
  ring[ringAt + LATEST] = Math.max(ring[ringAt + LATEST] ?? 0, takenAtMs);
  return before;
}

const nextOf = ({ ring, ringAt }: Recent): number => ring[ringAt + NEXT] ?? 0;
const cellOf = ({ ringAt }: Recent, place: number): number => ringAt + HEAD + place * WIDTH;
export const nextCellOf = (recent: Recent): number => cellOf(recent, nextOf(recent));

/** Twice as long, oldest first, and room behind the newest. */
function grow(recent: Recent, most: number): void {
  const { ring, ringAt, ringRoom } = recent;
  const room = Math.min(2 * ringRoom, most);
  const grown = emptyRings(1, room);
  const [first, next] = [cellOf(recent, 0), nextCellOf(recent)];
  grown.set(ring.subarray(next, endOf(recent)), HEAD);
  grown.set(ring.subarray(first, next), HEAD + endOf(recent) - next);
  grown[NEXT] = ringRoom;
  grown[LATEST] = ring[ringAt + LATEST] ?? 0;
  recent.ring = grown;
  recent.ringAt = 0;
  recent.ringRoom = room;
}

/** Undoes the newest `remember`. */
export function takeBack(recent: Recent, before: Print): void {
  const { ring, ringAt, ringRoom } = recent;
  const last = (nextOf(recent) + ringRoom - 1) % ringRoom;
  const cell = cellOf(recent, last);
  ring[cell] = before.takenAtMs;
  ring[cell + 1] = before.values;
  ring[cell + 2] = before.registers;
  ring[ringAt + NEXT] = last;
}
