import { type EpochMs, epochMs, type MeterId } from '../../domain/brand.js';
import type { BundleState } from '../../domain/results.js';
import type { StoredAnomaly } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { SELECT_ANOMALIES } from './columns.js';
import type { MeterKeys } from './meter-keys.js';

export type RecordedBundle = BundleState & { readonly atMs: EpochMs };

/** A gateway sees a handful of bundles in a year. */
const MAX_BUNDLES = 100;

/** An anomaly that late readings have explained keeps its row, without a sentence, contributions and circumstances. */
const NOT_CLEARED = `a.sentence <> ''`;

interface BundleRow {
  readonly version: string;
  readonly state: BundleState['state'];
  readonly precision: 'int8' | 'float32';
  readonly code: string;
  readonly detail: string;
  readonly atMs: number;
}

export function openFindings(db: Connection, meterKeys: MeterKeys) {
  const newest = db.prepare<[number], StoredAnomaly>(
    `${SELECT_ANOMALIES} where ${NOT_CLEARED} order by a.seq desc limit ?`,
  );
  const newestOfMeter = db.prepare<[number, number], StoredAnomaly>(
    `${SELECT_ANOMALIES} where a.meter = ? and ${NOT_CLEARED} order by a.slot_start_ms desc limit ?`,
  );
  const bundles = db.prepare<[number], BundleRow>(
    `select version, state, precision, code, detail, at_ms as atMs from model where state is not null
     order by at_ms desc, id desc limit ?`,
  );

  const missRates = db.prepare<[string], Buffer | null>('select miss_rates from model where version = ?').pluck();

  return {
    missRatesOf(version: string): Float64Array | undefined {
      const stored = missRates.get(version);
      // A copy: what SQLite gives may begin anywhere.
      return stored == null ? undefined : new Float64Array(Uint8Array.from(stored).buffer);
    },
    anomalies({ meter, limit }: { readonly meter?: MeterId; readonly limit: number }): readonly StoredAnomaly[] {
      if (meter === undefined) return newest.all(limit);
      const key = meterKeys(meter);
      return key === undefined ? [] : newestOfMeter.all(key, limit);
    },
    bundles: (): readonly RecordedBundle[] => bundles.all(MAX_BUNDLES).map(bundleOf),
  };
}

function bundleOf({ version, state, precision, code, detail, atMs }: BundleRow): RecordedBundle {
  return state === 'active'
    ? { state, version, precision, atMs: epochMs(atMs) }
    : { state, version, code, detail, atMs: epochMs(atMs) };
}
