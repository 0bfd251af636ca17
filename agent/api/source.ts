import type { EpochMs, MeterId } from '../domain/brand.js';
import type { RecordedDamage } from '../domain/damage.js';
import type { DiskFigures, DiskState } from '../domain/disk.js';
import type { Forecast } from '../domain/forecast.js';
import type { Meter } from '../domain/meter.js';
import type { BundleState, LinkState } from '../domain/results.js';
import type { MeasuredSlots, StoredAnomaly, StoredReading, StoredSlot, StreamName } from '../domain/stored.js';
import type { Trust } from '../domain/trust.js';

interface Newest {
  readonly meter?: MeterId;
  readonly limit: number;
}

/** What the API reads; the buffer's reader fits it. Lists come newest first. */
export interface ReadSource {
  readonly slotMs: number;
  head(): { readonly seq: number; readonly changeSeq: number };
  meters(): readonly Meter[];
  /** The last reading of each meter that has ever sent one. */
  latestReadings(): readonly StoredReading[];
  /** How often each meter is usually heard, as far as it is known. */
  learnedIntervals(): ReadonlyMap<MeterId, number>;
  readings(query: Newest): readonly StoredReading[];
  /** In order of time. */
  slotsOf(meter: MeterId, fromMs: EpochMs, toMs: EpochMs): readonly StoredSlot[];
  /** Of whole UTC days, slot by slot; `toDay` is not among them. */
  measuredOf(meter: MeterId, fromDay: number, toDay: number): MeasuredSlots;
  latestForecast(meter: MeterId): Forecast | undefined;
  anomalies(query: Newest): readonly StoredAnomaly[];
  totals(): { readonly readings: number; readonly rejected: number };
  rejectedCounts(): Readonly<Record<string, number>>;
  backlog(): Readonly<Record<StreamName, number>>;
  /** Files of the buffer that were found damaged. */
  damages(): readonly RecordedDamage[];
}

/** What only the main thread knows at this moment. */
export interface LiveView {
  readonly metrics: readonly object[];
  readonly connections: number;
  readonly startedAtMs: number;
  readonly clock: {
    readonly nowMs: number;
    readonly trust: Trust;
    /** Readings that wait for the time to become known. */
    readonly held: number;
    readonly machineAheadMs: number;
  };
  readonly link: LinkState;
  readonly bundle: BundleState | null;
  readonly disk: DiskState & DiskFigures;
}

/** The main thread, asked while it runs; rejects when no answer comes in time. */
export interface LiveSource {
  view(): Promise<LiveView>;
}
