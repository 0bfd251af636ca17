import { type EpochMs, epochMs } from '../domain/brand.js';
import type { PowerTrail } from './false-zero.js';
import type { RegisterState } from './register.js';
import type { UnitWatch } from './units.js';

/** What the rules know of a meter from its readings before. Never changed, only replaced. */
export interface MeterState {
  /** The latest time of its readings. */
  readonly lastMs: EpochMs | undefined;
  readonly imported: RegisterState | undefined;
  readonly exported: RegisterState | undefined;
  readonly units: UnitWatch | undefined;
  readonly power: PowerTrail | undefined;
}

export const NOTHING_KNOWN: MeterState = {
  lastMs: undefined,
  imported: undefined,
  exported: undefined,
  units: undefined,
  power: undefined,
};

/**
 * Where the state of one meter is kept between its readings: numbers side by side. As objects, of which each reading makes
 * a new set, those of many meters outlive the young generation, and lie wherever there was room: that was a tenth of
 * what a reading of 20,000 meters costs.
 */
export interface Shelf {
  readonly cells: Float64Array;
  readonly at: number;
}

/** Of each thing the first cell tells whether there is anything of it. */
const ABSENT = Number.NaN;
const REGISTER_CELLS = 10;
const LAST = 0;
const POWER = 1;
const UNITS = 4;
const IMPORTED = 10;
const EXPORTED = IMPORTED + REGISTER_CELLS;
const SHELF_CELLS = EXPORTED + REGISTER_CELLS;
/** 60 kB, which stay as long as one of them is needed. */
const SHELVES_TOGETHER = 256;

export function createShelves(): () => Shelf {
  let cells = new Float64Array(0);
  let at = 0;
  return () => {
    at += SHELF_CELLS;
    if (at >= cells.length) {
      cells = new Float64Array(SHELVES_TOGETHER * SHELF_CELLS).fill(ABSENT);
      at = 0;
    }
    return { cells, at };
  };
}

const CELLS_OF_A_CACHE_LINE = 8;

/** One number of each cache line that a reading of power and import needs, so that they are there when it comes. */
export const firstCells = ({ cells, at }: Shelf): number =>
  cell(cells, at) + cell(cells, at + CELLS_OF_A_CACHE_LINE) + cell(cells, at + 2 * CELLS_OF_A_CACHE_LINE);

export function putState({ cells, at }: Shelf, { lastMs, imported, exported, units, power }: MeterState): void {
  cells[at + LAST] = lastMs ?? ABSENT;
  cells[at + POWER] = power?.atMs ?? ABSENT;
  if (power !== undefined) {
    cells[at + POWER + 1] = power.isReal ? 1 : 0;
    cells[at + POWER + 2] = power.fellFromReal ? 1 : 0;
  }
  cells[at + UNITS] = units?.startMs ?? ABSENT;
  if (units !== undefined) {
    cells[at + UNITS + 1] = units.startWh;
    cells[at + UNITS + 2] = units.energyWh;
    cells[at + UNITS + 3] = units.powerW;
    cells[at + UNITS + 4] = units.atMs;
    cells[at + UNITS + 5] = units.factor;
  }
  putRegister(cells, at + IMPORTED, imported);
  putRegister(cells, at + EXPORTED, exported);
}

function putRegister(cells: Float64Array, at: number, register: RegisterState | undefined): void {
  cells[at] = register?.atMs ?? ABSENT;
  if (register === undefined) return;
  const { wh, other, trail } = register;
  cells[at + 1] = wh;
  cells[at + 2] = trail?.newer.atMs ?? ABSENT;
  cells[at + 3] = trail?.newer.wh ?? ABSENT;
  cells[at + 4] = trail?.older?.atMs ?? ABSENT;
  cells[at + 5] = trail?.older?.wh ?? ABSENT;
  cells[at + 6] = other?.atMs ?? ABSENT;
  if (other === undefined) return;
  cells[at + 7] = other.wh;
  cells[at + 8] = other.readings;
  cells[at + 9] = other.grown ? 1 : 0;
}

export function stateOn({ cells, at }: Shelf): MeterState {
  const lastMs = cell(cells, at + LAST);
  return {
    lastMs: isThere(lastMs) ? epochMs(lastMs) : undefined,
    imported: registerAt(cells, at + IMPORTED),
    exported: registerAt(cells, at + EXPORTED),
    units: unitsAt(cells, at + UNITS),
    power: powerAt(cells, at + POWER),
  };
}

function registerAt(cells: Float64Array, at: number): RegisterState | undefined {
  const atMs = cell(cells, at);
  if (!isThere(atMs)) return undefined;
  const wh = cell(cells, at + 1);
  const newer = { atMs: cell(cells, at + 2), wh: cell(cells, at + 3) };
  const older = { atMs: cell(cells, at + 4), wh: cell(cells, at + 5) };
  const trail = isThere(newer.atMs) ? { newer, older: isThere(older.atMs) ? older : undefined } : undefined;
  const otherMs = cell(cells, at + 6);
  if (!isThere(otherMs)) return { wh, atMs, trail };
  const other = {
    wh: cell(cells, at + 7),
    atMs: otherMs,
    readings: cell(cells, at + 8),
    grown: cell(cells, at + 9) === 1,
  };
  return { wh, atMs, other, trail };
}

function unitsAt(cells: Float64Array, at: number): UnitWatch | undefined {
  const startMs = cell(cells, at);
  if (!isThere(startMs)) return undefined;
  return {
    startMs,
    startWh: cell(cells, at + 1),
    energyWh: cell(cells, at + 2),
    powerW: cell(cells, at + 3),
    atMs: cell(cells, at + 4),
    factor: cell(cells, at + 5),
  };
}

function powerAt(cells: Float64Array, at: number): PowerTrail | undefined {
  const atMs = cell(cells, at);
  if (!isThere(atMs)) return undefined;
  return { isReal: cell(cells, at + 1) === 1, atMs, fellFromReal: cell(cells, at + 2) === 1 };
}

const cell = (cells: Float64Array, at: number): number => cells[at] ?? ABSENT;
const isThere = (value: number): boolean => !Number.isNaN(value);
