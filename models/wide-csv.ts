import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { epochMs, type MeterId, parseMeterId } from '../agent/domain/brand.js';
import { SLOT_MINUTES, SLOT_MS } from '../agent/domain/slot.js';
import type { MeterSeries } from './series.js';

/** Watts in one of the file's units. */
export const POWER_UNITS = { W: 1, kW: 1_000 } as const;
export type PowerUnit = keyof typeof POWER_UNITS;

/** Ten years of five minutes. */
const MAX_ROWS = 1_100_000;
const MAX_METERS = 20_000;

/** A file that breaks a rule ends the command with these words. */
export class WideCsvError extends Error {}

/**
 * A wide table: the first column is an ISO time, each other one a meter; blank = missing. Rows are five-minute slots
 * in order of time; slots without a row are missing too. `.gz` is unpacked.
 */
export async function loadWideCsv(path: string, unit: PowerUnit): Promise<MeterSeries[]> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => input.destroy(error));
  const slots: number[] = [];
  const cells: Float32Array[] = [];
  let meters: readonly MeterId[] | undefined;
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    if (meters === undefined) {
      meters = parseHeader(text);
      continue;
    }
    const { slot, values } = parseRow(text, { line, width: meters.length, factor: POWER_UNITS[unit] });
    if (slot <= (slots.at(-1) ?? -1)) throw new WideCsvError(`line ${line}: the time does not rise by a slot`);
    if (slots.length >= MAX_ROWS) throw new WideCsvError(`more than ${MAX_ROWS} rows`);
    slots.push(slot);
    cells.push(values);
  }
  if (meters === undefined) throw new WideCsvError(`${path} is empty`);
  return toSeries(meters, slots, cells);
}

function parseHeader(text: string): MeterId[] {
  const names = text.split(',').slice(1);
  if (names.length === 0 || names.length > MAX_METERS) throw new WideCsvError(`line 1: ${names.length} meters`);
  const meters = names.map((name) => parseMeterId(name.trim()));
  const bad = meters.indexOf(undefined);
  if (bad >= 0) throw new WideCsvError(`line 1: “${names[bad]}” cannot be the name of a meter`);
  return meters.filter((meter) => meter !== undefined);
}

function parseRow(
  text: string,
  { line, width, factor }: { line: number; width: number; factor: number },
): { slot: number; values: Float32Array } {
  const fields = text.split(',');
  if (fields.length !== width + 1) throw new WideCsvError(`line ${line}: ${fields.length} columns, not ${width + 1}`);
  const time = (fields[0] ?? '').trim().replace(' ', 'T');
  // A time without a zone is UTC, whatever machine reads it.
  const atMs = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`);
  if (!Number.isFinite(atMs) || atMs % SLOT_MS !== 0) {
    throw new WideCsvError(`line ${line}: “${time}” is not a time on a full ${SLOT_MINUTES} minutes`);
  }
  const values = new Float32Array(width);
  for (let column = 0; column < width; column++) {
    const field = (fields[column + 1] ?? '').trim();
    const value = field === '' ? Number.NaN : Number(field);
    if (field !== '' && !Number.isFinite(value)) throw new WideCsvError(`line ${line}: “${field}” is not a number`);
    values[column] = value * factor;
  }
  return { slot: atMs / SLOT_MS, values };
}

function toSeries(meters: readonly MeterId[], slots: readonly number[], cells: readonly Float32Array[]): MeterSeries[] {
  const first = slots[0];
  const last = slots.at(-1);
  if (first === undefined || last === undefined) throw new WideCsvError('no row after the header');
  if (last - first >= MAX_ROWS) throw new WideCsvError(`the times span more than ${MAX_ROWS} slots`);
  return meters.map((meter, column) => {
    const powerW = new Float32Array(last - first + 1).fill(Number.NaN);
    for (const [row, slot] of slots.entries()) powerW[slot - first] = cells[row]?.[column] ?? Number.NaN;
    return { meter, startMs: epochMs(first * SLOT_MS), powerW };
  });
}
