import { epochMs } from '../../../agent/domain/brand.js';
import { utcTime } from '../../iso-time.js';
import { MOST_W } from '../../series.js';
import type { FleetFeeder, FleetPower } from '../fleet-power.js';
import { InputFileError, readRows } from './table-file.js';

/** Which meter stole from which day to which, both included; days count from the fleet's first. */
export interface TheftLabel {
  readonly meter: string;
  readonly type: string;
  readonly firstDay: number;
  readonly lastDay: number;
}

export interface TheftBench {
  readonly fleet: FleetPower;
  readonly labels: readonly TheftLabel[];
}

export interface BenchFiles {
  readonly reported: string;
  readonly feeders: string;
  readonly topology: string;
  readonly labels: string;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** In longer ones a day has no shape: nights, evenings and hours of zeros are not seen. */
const LONGEST_SLOT_MS = HOUR_MS;
const WATTS_PER_KW = 1_000;

/** Meters alone. Energy in kWh per slot, one column per meter; blank = missing. */
export async function loadReported(path: string): Promise<FleetPower> {
  const { startMs, days, stepMs, columns } = await loadEnergy(path);
  const meters = [...columns].map(([meter, powerW]) => ({ meter, powerW }));
  return { startMs: epochMs(startMs), slotsPerDay: DAY_MS / stepMs, days, meters, feeders: [] };
}

/** The same with feeders, one column each. All files tell the same days. */
export async function loadFleet(files: Omit<BenchFiles, 'labels'>): Promise<FleetPower> {
  const reported = await loadEnergy(files.reported);
  const measured = await loadEnergy(files.feeders);
  if (measured.startMs !== reported.startMs || measured.stepMs !== reported.stepMs || measured.days !== reported.days)
    throw new InputFileError(`${files.feeders}: other times than ${files.reported}`);
  const feederOf = await loadTopology(files.topology);
  const feeders = [...measured.columns].map(([name, powerW]): FleetFeeder => {
    const feeder = feederName(name);
    const unreported = [...feederOf].flatMap(([meter, of]) =>
      feederName(of) === feeder && !reported.columns.has(meter) ? [meter] : [],
    );
    return { feeder, powerW, ...(unreported.length === 0 ? {} : { unreported }) };
  });
  const known = new Set(feeders.map(({ feeder }) => feeder));
  const meters = [...reported.columns].map(([meter, powerW]) => {
    const feeder = feederOf.get(meter);
    if (feeder === undefined) return { meter, powerW };
    if (!known.has(feederName(feeder))) throw new InputFileError(`${files.topology}: feeder “${feeder}” has no column`);
    return { meter, feeder: feederName(feeder), powerW };
  });
  const { startMs, days, stepMs } = reported;
  return { startMs: epochMs(startMs), slotsPerDay: DAY_MS / stepMs, days, meters, feeders };
}

/** And with who stole. */
export async function loadTheftBench(files: BenchFiles): Promise<TheftBench> {
  const fleet = await loadFleet(files);
  return { fleet, labels: await loadLabels(files.labels, fleet) };
}

const feederName = (name: string): string => name.replace(/^feeder/, '');

interface EnergyFile {
  readonly startMs: number;
  readonly stepMs: number;
  readonly days: number;
  /** Mean power in watts by name of the column. */
  readonly columns: ReadonlyMap<string, Float32Array>;
}

/** The step is that of the first two rows; rows that are left out are missing slots; a last part of a day is left out. */
async function loadEnergy(path: string): Promise<EnergyFile> {
  const { header, rows } = await readRows(path);
  const times = rows.map(({ line, fields }) => timeOf(fields[0] ?? '', `${path}, line ${line}`));
  const [startMs = 0, secondMs] = times;
  if (secondMs === undefined) throw new InputFileError(`${path}: one row does not tell how long a slot is`);
  const stepMs = secondMs - startMs;
  if (!(stepMs > 0 && stepMs <= LONGEST_SLOT_MS) || DAY_MS % stepMs !== 0)
    throw new InputFileError(
      `${path}: slots of ${stepMs / MINUTE_MS} minutes, by its first two rows; a day is made of whole slots of an hour at most`,
    );
  if (startMs % DAY_MS !== 0) throw new InputFileError(`${path}: the first row does not begin a day`);
  const days = Math.floor(((times.at(-1) as number) + stepMs - startMs) / DAY_MS);
  const slots = (days * DAY_MS) / stepMs;
  const names = header.slice(1);
  if (names.length === 0 || days < 1) throw new InputFileError(`${path}: ${names.length} columns, ${days} whole days`);
  if (new Set(names).size < names.length) throw new InputFileError(`${path}: two columns have the same name`);
  const columns = names.map(() => new Float32Array(slots).fill(Number.NaN));
  const factor = (WATTS_PER_KW * HOUR_MS) / stepMs;
  for (const [index, { line, fields }] of rows.entries()) {
    const slot = ((times[index] as number) - startMs) / stepMs;
    const where = `${path}, line ${line}`;
    if (!Number.isInteger(slot) || (index > 0 && (times[index] as number) <= (times[index - 1] as number)))
      throw new InputFileError(`${where}: the time does not rise by whole slots`);
    if (slot >= slots) continue;
    for (const [column, values] of columns.entries()) {
      values[slot] = wattsOf(fields[column + 1] ?? '', { factor, where });
    }
  }
  return {
    startMs,
    stepMs,
    days,
    columns: new Map(names.map((name, index) => [name, columns[index] as Float32Array])),
  };
}

function wattsOf(field: string, { factor, where }: { factor: number; where: string }): number {
  if (field === '') return Number.NaN;
  const watts = Number(field) * factor;
  if (!Number.isFinite(Number(field))) throw new InputFileError(`${where}: “${field}” is not a number`);
  if (Math.abs(watts) > MOST_W) throw new InputFileError(`${where}: ${field} kWh is more than any meter measures`);
  return watts;
}

function timeOf(text: string, where: string): number {
  const atMs = utcTime(text);
  if (!Number.isFinite(atMs)) throw new InputFileError(`${where}: “${text}” is not a time`);
  return atMs;
}

/** The feeder of each meter. */
async function loadTopology(path: string): Promise<ReadonlyMap<string, string>> {
  const { header, rows } = await readRows(path);
  const [meterAt, feederAt] = [columnAt(path, header, 'meter'), columnAt(path, header, 'feeder')];
  const feederOf = new Map<string, string>();
  for (const { line, fields } of rows) {
    const [meter, feeder] = [fields[meterAt] as string, fields[feederAt] as string];
    if (feederOf.has(meter)) throw new InputFileError(`${path}, line ${line}: “${meter}” is listed a second time`);
    feederOf.set(meter, feeder);
  }
  return feederOf;
}

function columnAt(path: string, header: readonly string[], name: string): number {
  const at = header.indexOf(name);
  if (at < 0) throw new InputFileError(`${path}: there is no column “${name}”`);
  return at;
}

async function loadLabels(path: string, { meters, startMs, days }: FleetPower): Promise<TheftLabel[]> {
  const { header, rows } = await readRows(path);
  const [meterAt = 0, typeAt = 0, firstAt = 0, lastAt = 0] = ['meter', 'type', 'first_day', 'last_day'].map((name) =>
    columnAt(path, header, name),
  );
  const known = new Set(meters.map(({ meter }) => meter));
  return rows.map(({ line, fields }) => {
    const where = `${path}, line ${line}`;
    const meter = fields[meterAt] as string;
    if (!known.has(meter)) throw new InputFileError(`${where}: nothing is reported of “${meter}”`);
    const firstDay = (timeOf(fields[firstAt] as string, where) - startMs) / DAY_MS;
    const lastDay = (timeOf(fields[lastAt] as string, where) - startMs) / DAY_MS;
    if (!(firstDay >= 0 && lastDay >= firstDay && lastDay < days))
      throw new InputFileError(`${where}: the days are not among those reported`);
    return { meter, type: fields[typeAt] as string, firstDay, lastDay };
  });
}
