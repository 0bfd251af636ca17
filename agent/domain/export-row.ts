import { type EpochMs, epochMs, type MeterId, parseMeterId, type Seq, seq } from './brand.js';
import type { Meter, MeterKind } from './meter.js';
import type { StoredReading } from './stored.js';

/** A reading as it stands in an export, values in the order of COLUMNS: the number in the log is that of its gateway alone. */
export type ExportRow = readonly (string | number | null)[];

const MEASURES = [
  'powerDw',
  'importDwh',
  'exportDwh',
  'voltageCv',
  'currentMa',
  'powerFactorPm',
  'frequencyChz',
] as const satisfies readonly (keyof StoredReading)[];

export const EXPORT_COLUMNS = ['meter', 'takenAtMs', 'timeSource', 'receivedAtMs', ...MEASURES, 'flags'] as const;

/** Beyond the year 2200 nothing was taken. */
const MAX_MS = 7_258_118_400_000;
const NO_SEQ: Seq = seq(0);

export const exportRowOf = (reading: StoredReading): ExportRow => EXPORT_COLUMNS.map((name) => reading[name]);

/** Undefined when it is no row of an export. */
export function parseExportRow(row: unknown): StoredReading | undefined {
  if (!Array.isArray(row) || row.length !== EXPORT_COLUMNS.length) return undefined;
  const [name, takenAtMs, timeSource, receivedAtMs, ...rest] = row as readonly unknown[];
  const meter = typeof name === 'string' ? parseMeterId(name) : undefined;
  if (meter === undefined || !isMoment(takenAtMs) || !isMoment(receivedAtMs)) return undefined;
  if (timeSource !== 'meter' && timeSource !== 'gateway') return undefined;
  const flags = rest.at(-1);
  if (typeof flags !== 'number' || !Number.isSafeInteger(flags) || flags < 0) return undefined;
  const measures = rest.slice(0, -1);
  if (!measures.every(isMeasure)) return undefined;
  const [powerDw = null, importDwh = null, exportDwh = null, voltageCv = null] = measures;
  const [currentMa = null, powerFactorPm = null, frequencyChz = null] = measures.slice(4);
  const values = { powerDw, importDwh, exportDwh, voltageCv, currentMa, powerFactorPm, frequencyChz };
  return { seq: NO_SEQ, meter, takenAtMs, timeSource, receivedAtMs, ...values, flags };
}

const isMoment = (value: unknown): value is EpochMs =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= epochMs(0) && value < MAX_MS;

const isMeasure = (value: unknown): value is number | null =>
  value === null || (typeof value === 'number' && Number.isSafeInteger(value));

export function parseExportMeter(value: unknown): Meter | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, kind, feeder, ratedPowerW } = value as Readonly<Record<string, unknown>>;
  const meter = nameOf(id);
  if (meter === undefined || (kind !== 'customer' && kind !== 'feeder')) return undefined;
  const fed = nameOf(feeder);
  return {
    id: meter,
    kind: kind satisfies MeterKind,
    ...(fed !== undefined && { feeder: fed }),
    ...(typeof ratedPowerW === 'number' && Number.isFinite(ratedPowerW) && ratedPowerW > 0 && { ratedPowerW }),
  };
}

const nameOf = (value: unknown): MeterId | undefined => (typeof value === 'string' ? parseMeterId(value) : undefined);
