import type { EpochMs } from '../domain/brand.js';

/** Readings of one meter that a repeat is recognised against. At one reading a second it spans half a minute of resends. */
export const REMEMBERED = 32;

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

/** What one meter sent last, to tell a repeat from a reading without asking the disk: 768 bytes. */
export interface Recent {
  readonly cells: Float64Array;
  next: number;
}

export const createRecent = (): Recent => ({ cells: new Float64Array(REMEMBERED * WIDTH).fill(EMPTY), next: 0 });

export function seenAt({ cells }: Recent, { takenAtMs, values, registers }: Print): Seen {
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

/** Overwrites the oldest; gives what stood there, for `takeBack`. */
export function remember(recent: Recent, { takenAtMs, values, registers }: Print): Print {
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
  return before;
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
