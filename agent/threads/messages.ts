import type { AnalysisResult, BundleState, LinkState } from '../domain/analysis.js';
import type { ChangeSeq, Seq } from '../domain/brand.js';
import type { StreamName, StreamPosition } from '../domain/stored.js';

/**
 * Everything that crosses between the three threads. The main thread alone writes; workers read the buffer through
 * connections of their own and send what they found as messages here.
 */

/** A thread's part of /metrics, as prom-client's aggregator takes it. */
export type MetricsJson = readonly object[];

/** What only the main thread knows. */
export interface MainView {
  readonly metrics: MetricsJson;
  readonly connections: number;
  readonly startedAtMs: number;
  readonly link: LinkState;
  readonly bundle: BundleState | null;
}

export type ToAnalytics =
  | { readonly kind: 'slots-changed'; readonly upTo: ChangeSeq }
  | { readonly kind: 'bundle-arrived'; readonly version: string }
  | { readonly kind: 'stored'; readonly analysedUpTo: ChangeSeq };

export type FromAnalytics =
  | { readonly kind: 'result'; readonly result: AnalysisResult }
  | { readonly kind: 'bundle'; readonly bundle: BundleState };

export type ToOutward =
  | { readonly kind: 'committed'; readonly seq: Seq; readonly changeSeq: ChangeSeq }
  | { readonly kind: 'bundle'; readonly bundle: BundleState }
  | { readonly kind: 'sync-now' };

export type FromOutward =
  | { readonly kind: 'settled'; readonly stream: StreamName; readonly position: StreamPosition }
  | { readonly kind: 'bundle-arrived'; readonly version: string }
  | { readonly kind: 'link'; readonly link: LinkState };
