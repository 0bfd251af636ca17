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

/** Room that a meter gets at first. */
const FIRST_ROOM = 8;
/** Time, values, registers of one reading: three numbers side by side. */
const WIDTH = 3;
/** Registers of a row from the buffer that are not those which the meter sent. */
export const REGISTERS_UNKNOWN = -1;
const EMPTY = Number.NaN;

export type Seen = 'new' | 'same' | 'other';

/** A reading as it was sent, reduced to what tells a repeat. */
export interface Print {
  readonly takenAtMs: EpochMs;
  readonly values: number;
  readonly registers: number;
}

/** What one meter sent last, to tell a repeat from a reading without asking the disk: a ring that grows as it fills. */
export interface Recent {
  cells: Float64Array;
  next: number;
  /** No cell has a later time. */
  latestMs: number;
}

export const createRecent = (): Recent => ({
  cells: new Float64Array(FIRST_ROOM * WIDTH).fill(EMPTY),
  next: 0,
  latestMs: Number.NEGATIVE_INFINITY,
});

export function seenAt({ cells, latestMs }: Recent, { takenAtMs, values, registers }: Print): Seen {
  // Nearly every reading is later than those before it; only what may be a repeat is looked for.
  if (takenAtMs > latestMs) return 'new';
  for (let cell = 0; cell < cells.length; cell += WIDTH) {
    if (cells[cell] === takenAtMs) return sameValues(cells, cell, { values, registers }) ? 'same' : 'other';
  }
  return 'new';
}

export function hasValues({ cells }: Recent, print: Omit<Print, 'takenAtMs'>): boolean {
  for (let cell = 0; cell < cells.length; cell += WIDTH) {
    if (sameValues(cells, cell, print)) return true;
  }
  return false;
}

function sameValues(cells: Float64Array, cell: number, { values, registers }: Omit<Print, 'takenAtMs'>): boolean {
  if (cells[cell + 1] !== values) return false;
  const known = cells[cell + 2];
  return known === registers || known === REGISTERS_UNKNOWN;
}

/** Overwrites the oldest once `most` readings are there; gives what stood there, for `takeBack`. */
export function remember(recent: Recent, { takenAtMs, values, registers }: Print, most: number): Print {
  if (!Number.isNaN(recent.cells[recent.next]) && recent.cells.length < most * WIDTH) grow(recent, most);
  const { cells, next } = recent;
  const before = {
    takenAtMs: cells[next] as EpochMs,
    values: cells[next + 1] ?? EMPTY,
    registers: cells[next + 2] ?? EMPTY,
  };
  cells[next] = takenAtMs;
  cells[next + 1] = values;
  cells[next + 2] = registers;
  recent.next = (next + WIDTH) % cells.length;
  recent.latestMs = Math.max(recent.latestMs, takenAtMs);
  return before;
}

/** Twice as long, oldest first, and room behind the newest. */
function grow(recent: Recent, most: number): void {
  const { cells, next } = recent;
  const grown = new Float64Array(Math.min(2 * cells.length, most * WIDTH)).fill(EMPTY);
  grown.set(cells.subarray(next));
  grown.set(cells.subarray(0, next), cells.length - next);
  recent.cells = grown;
  recent.next = cells.length;
}

/** Undoes the newest `remember`. */
export function takeBack(recent: Recent, before: Print): void {
  const { cells } = recent;
  const last = (recent.next + cells.length - WIDTH) % cells.length;
  cells[last] = before.takenAtMs;
  cells[last + 1] = before.values;
  cells[last + 2] = before.registers;
  recent.next = last;
}
