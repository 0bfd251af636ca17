import { epochMs, type MeterId, parseMeterId } from '../agent/domain/brand.js';
import { messageOf } from '../agent/domain/errors.js';
import { utcTime } from './iso-time.js';
import { type MeterSeries, MOST_W } from './series.js';
import { linesOf } from './text-lines.js';

/** What the cells of a file hold: mean power, or energy per slot. */
export const UNITS = ['W', 'kW', 'Wh', 'kWh'] as const;
export type LoadUnit = (typeof UNITS)[number];

export interface WideCsvOptions {
  readonly slotMinutes: number;
  readonly unit: LoadUnit | 'auto';
  /** The meters' columns; otherwise all but those whose names say that they are no load. */
  readonly columns?: readonly string[] | undefined;
}

export interface WideCsv {
  readonly series: MeterSeries[];
  readonly unit: LoadUnit;
  /** Columns that were not taken for meters. */
  readonly leftOut: readonly string[];
}

/** Ten years of five minutes. */
const MAX_ROWS = 1_100_000;
const MAX_METERS = 20_000;
const NO_LOAD = /volt|intensity|current|temperature|humid|wind|flow|irradia|radiation|pressure|frequency|factor/i;
const TEMPERATURE = /^(temperature|temp|temperature_c)$/i;
/** The mean of one meter: a fleet's file in W has hundreds, one in kilowatts a few. */
const MOST_KILOWATTS = 50;

const TOO_MUCH = `more than ${MOST_W / 1e9} GW, which no meter measures`;

/** A file that breaks a rule ends the command with these words. */
export class WideCsvError extends Error {}

interface Columns {
  readonly meters: readonly { readonly index: number; readonly meter: MeterId }[];
  readonly names: readonly string[];
  readonly temperature: number;
  readonly leftOut: readonly string[];
}

/** What stands in a file, row by row. */
interface Rows {
  readonly slots: number[];
  readonly cells: Float32Array[];
  readonly lines: number[];
}

/**
 * A wide table: the first column is an ISO time, in UTC where it names no zone, each other one a meter; blank = missing.
 * Rows are slots in order of time; slots without a row are missing too. `.gz` is unpacked.
 */
export async function loadWideCsv(path: string, options: WideCsvOptions): Promise<WideCsv> {
  try {
    return await readWideCsv(path, options);
  } catch (error) {
    throw new WideCsvError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function readWideCsv(path: string, options: WideCsvOptions): Promise<WideCsv> {
  const rows: Rows = { slots: [], cells: [], lines: [] };
  let columns: Columns | undefined;
  let line = 0;
  for await (const text of linesOf(path)) {
    line += 1;
    if (text.trim() === '') continue;
    if (columns === undefined) {
      columns = parseHeader(text, options.columns);
      continue;
    }
    const { slot, values } = parseRow(text, { line, columns, slotMinutes: options.slotMinutes });
    if (slot <= (rows.slots.at(-1) ?? -1)) throw new WideCsvError(`line ${line}: the time does not rise by a slot`);
    if (rows.slots.length >= MAX_ROWS) throw new WideCsvError(`more than ${MAX_ROWS} rows`);
    rows.slots.push(slot);
    rows.cells.push(values);
    rows.lines.push(line);
  }
  if (columns === undefined) throw new WideCsvError('the file is empty');
  return assemble(columns, rows, options);
}

function parseHeader(text: string, wanted: readonly string[] | undefined): Columns {
  const names = text.split(',').map((name) => name.trim());
  checkNames(names);
  const absent = wanted?.find((name) => !names.slice(1).includes(name));
  if (absent !== undefined) throw new WideCsvError(`line 1: there is no column “${absent}”`);
  const isMeter = (name: string) => (wanted === undefined ? !NO_LOAD.test(name) : wanted.includes(name));
  const meters: { index: number; meter: MeterId }[] = [];
  const leftOut: string[] = [];
  for (const [index, name] of names.entries()) {
    if (index === 0) continue;
    if (!isMeter(name)) {
      leftOut.push(name);
      continue;
    }
    const meter = parseMeterId(name);
    if (meter === undefined) throw new WideCsvError(`line 1: “${name}” cannot be the name of a meter`);
    meters.push({ index, meter });
  }
  if (meters.length === 0) throw new WideCsvError('line 1: no column behind the time is that of a meter');
  if (meters.length > MAX_METERS) throw new WideCsvError(`line 1: more than ${MAX_METERS} meters`);
  return { meters, names, temperature: names.findIndex((name) => TEMPERATURE.test(name)), leftOut };
}

function checkNames([first = '', ...others]: readonly string[]): void {
  if (/^\d+[-/.:]\d/.test(first) && Number.isFinite(utcTime(first))) {
    throw new WideCsvError(`line 1 begins with a time, “${first}”: it must name the columns`);
  }
  const known = new Set<string>();
  for (const name of others) {
    if (known.has(name)) throw new WideCsvError(`line 1: there are two columns “${name}”`);
    known.add(name);
  }
}

function parseRow(
  text: string,
  { line, columns, slotMinutes }: { line: number; columns: Columns; slotMinutes: number },
): { slot: number; values: Float32Array } {
  const fields = text.split(',');
  if (fields.length !== columns.names.length) {
    throw new WideCsvError(`line ${line}: ${fields.length} columns, the header has ${columns.names.length}`);
  }
  const time = (fields[0] ?? '').trim();
  const slot = utcTime(time) / (slotMinutes * 60_000);
  if (!Number.isInteger(slot)) {
    throw new WideCsvError(`line ${line}: “${time}” is not a time on a full ${slotMinutes} minutes`);
  }
  const { meters, temperature } = columns;
  const values = new Float32Array(meters.length + 1).fill(Number.NaN);
  for (const [at, { index }] of meters.entries()) values[at] = parseCell(fields[index], line);
  if (temperature > 0) values[meters.length] = parseCell(fields[temperature], line);
  return { slot, values };
}

function parseCell(field = '', line: number): number {
  const text = field.trim();
  const value = text === '' ? Number.NaN : Number(text);
  if (text !== '' && !Number.isFinite(value)) throw new WideCsvError(`line ${line}: “${text}” is not a number`);
  return value;
}

function assemble(
  { meters, names, temperature, leftOut }: Columns,
  { slots, cells, lines }: Rows,
  options: WideCsvOptions,
): WideCsv {
  const first = slots[0];
  const last = slots.at(-1);
  if (first === undefined || last === undefined) throw new WideCsvError('no row after the header');
  if (last - first >= MAX_ROWS) throw new WideCsvError(`the times span more than ${MAX_ROWS} slots`);
  const unit = options.unit === 'auto' ? guessUnit(cells, { meters: meters.length, ...options }) : options.unit;
  const factor = wattsPer(unit, options.slotMinutes);
  const column = (at: number, index: number, scale: number): Float32Array => {
    const values = new Float32Array(last - first + 1).fill(Number.NaN);
    for (const [row, slot] of slots.entries()) {
      const value = (cells[row]?.[at] ?? Number.NaN) * scale;
      if (Math.abs(value) > MOST_W) throw new WideCsvError(`line ${lines[row]}: “${names[index]}” has ${TOO_MUCH}`);
      values[slot - first] = value;
    }
    return values;
  };
  const temperatureC = temperature > 0 ? column(meters.length, temperature, 1) : undefined;
  const startMs = epochMs(first * options.slotMinutes * 60_000);
  return {
    series: meters.map(({ meter, index }, at) => ({
      meter,
      startMs,
      powerW: column(at, index, factor),
      ...(temperatureC === undefined ? {} : { temperatureC }),
    })),
    unit,
    leftOut,
  };
}

/** Watts of mean power in one of the file's units. */
export function wattsPer(unit: LoadUnit, slotMinutes: number): number {
  const kilo = unit.startsWith('k') ? 1_000 : 1;
  return unit.endsWith('h') ? (kilo * 60) / slotMinutes : kilo;
}

/** The unit only decides how small a load counts as noise; errors are given in the file's own. */
function guessUnit(cells: readonly Float32Array[], { meters, slotMinutes }: { meters: number; slotMinutes: number }) {
  const means = Array.from({ length: meters }, (_, at) => {
    const known = cells.map((row) => row[at] as number).filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  }).filter(Number.isFinite);
  means.sort((a, b) => a - b);
  if ((means[means.length >> 1] ?? 0) > MOST_KILOWATTS) return 'W' as const;
  // Registers are read on the half hour or the hour; what is sampled oftener is power.
  return slotMinutes >= 30 ? ('kWh' as const) : ('kW' as const);
}
