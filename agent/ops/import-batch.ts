import { WattwardenError } from '../domain/errors.js';
import { type ExportRow, parseExportMeter, parseExportRow } from '../domain/export-row.js';
import type { Meter } from '../domain/meter.js';
import type { Reading } from '../domain/reading.js';
import { readingOf } from '../domain/stored-reading.js';

/** What crosses to the running gateway, as JSON on one line of its local socket. */
export interface ImportBatch {
  readonly meters: readonly Meter[];
  readonly rows: readonly ExportRow[];
}

export interface Imported {
  readonly meters: readonly Meter[];
  readonly readings: readonly Reading[];
}

/** All of it or nothing: it comes from a program of the same version. */
export function parseImportBatch(batch: unknown): Imported {
  const { meters, rows } = (typeof batch === 'object' && batch !== null ? batch : {}) as Partial<ImportBatch>;
  if (!Array.isArray(meters) || !Array.isArray(rows)) throw notABatch();
  return {
    meters: meters.map((meter) => parseExportMeter(meter) ?? fail()),
    readings: rows.map((row) => readingOf(parseExportRow(row) ?? fail())),
  };
}

function fail(): never {
  throw notABatch();
}

const notABatch = (): WattwardenError => new WattwardenError('export.unreadable', 'no batch of readings');
