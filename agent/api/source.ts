import type { EpochMs, MeterId } from '../domain/brand.js';
import type { Forecast } from '../domain/forecast.js';
import type { Meter } from '../domain/meter.js';
import type { BundleState, LinkState } from '../domain/results.js';
import type { StoredAnomaly, StoredReading, StoredSlot, StreamName } from '../domain/stored.js';

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
  latestForecast(meter: MeterId): Forecast | undefined;
  anomalies(query: Newest): readonly StoredAnomaly[];
  totals(): { readonly readings: number; readonly rejected: number };
  rejectedCounts(): Readonly<Record<string, number>>;
  backlog(): Readonly<Record<StreamName, number>>;
}

/** What only the main thread knows at this moment. */
export interface LiveView {
  readonly metrics: readonly object[];
  /** Empty when the analytics thread did not answer. */
  readonly analyticsMetrics: readonly object[];
  readonly connections: number;
  readonly startedAtMs: number;
  readonly link: LinkState;
  readonly bundle: BundleState | null;
}

/** The main thread, asked while it runs; rejects when no answer comes in time. */
export interface LiveSource {
  view(): Promise<LiveView>;
}
