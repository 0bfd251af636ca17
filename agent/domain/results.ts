import type { Anomaly } from './anomaly.js';
import type { ChangeSeq } from './brand.js';
import type { PackedForecast } from './forecast.js';
import type { SlotScore } from './slot.js';

/** Results of one tick, stored in one transaction together with the position they reach. */
export interface AnalysisResult {
  readonly forecasts: readonly PackedForecast[];
  readonly scores: readonly SlotScore[];
  readonly anomalies: readonly Anomaly[];
  /** Slots up to this change are forecast and scored. */
  readonly analysedUpTo: ChangeSeq;
  /** Seldom: they change slowly. */
  readonly bands?: BandState | undefined;
}

/** Where the bands of a model have come to on this gateway: the miss rate that each step aims at. */
export interface BandState {
  readonly modelVersion: string;
  readonly missRates: Float64Array;
}

/** What a model bundle became on this gateway. */
export type BundleState =
  | { readonly state: 'active'; readonly version: string; readonly precision: 'int8' | 'float32' }
  | { readonly state: 'refused'; readonly version: string; readonly code: string; readonly detail: string };

/** What the link to the centre looks like from the gateway. */
export interface LinkState {
  readonly state: 'off' | 'connected' | 'disconnected';
  readonly detail: string;
  readonly lastSuccessMs: number | null;
}
