import type { ChangeSeq } from '../domain/brand.js';
import type { DiskFigures, DiskState } from '../domain/disk.js';
import type { AnalysisResult, BundleState, LinkState } from '../domain/results.js';
import type { Settled, StreamName } from '../domain/stored.js';

/**
 * Everything that crosses between the three threads. The main thread alone writes; the workers read the buffer through
 * connections of their own and send what they found.
 */

/** A thread's part of /metrics, as prom-client's aggregator takes it. */
export type MetricsJson = readonly object[];

/** What only the main thread knows. */
export interface MainView {
  readonly metrics: MetricsJson;
  /** Empty when the analytics thread did not answer in time. */
  readonly analyticsMetrics: MetricsJson;
  readonly connections: number;
  readonly startedAtMs: number;
  readonly link: LinkState;
  readonly bundle: BundleState | null;
  readonly disk: DiskState & DiskFigures;
}

export interface ToAnalytics {
  readonly message:
    | { readonly kind: 'slots-changed' }
    | { readonly kind: 'bundle-arrived' }
    | { readonly kind: 'stored'; readonly analysedUpTo: ChangeSeq };
  readonly ask: 'metrics';
  readonly answer: MetricsJson;
}

export interface FromAnalytics {
  readonly message:
    | { readonly kind: 'result'; readonly result: AnalysisResult }
    | { readonly kind: 'bundle'; readonly bundle: BundleState };
  readonly ask: never;
  readonly answer: never;
}

export interface ToOutward {
  readonly message:
    | { readonly kind: 'rows-waiting' }
    | { readonly kind: 'sync-now' }
    | { readonly kind: 'checkpoint'; readonly truncate: boolean };
  readonly ask: never;
  readonly answer: never;
}

export interface FromOutward {
  readonly message:
    | { readonly kind: 'listening'; readonly address: string }
    | { readonly kind: 'settled'; readonly stream: StreamName; readonly settled: Settled }
    | { readonly kind: 'checkpointed'; readonly bytes: number }
    | { readonly kind: 'bundle-arrived' }
    | { readonly kind: 'bundle'; readonly bundle: BundleState }
    | { readonly kind: 'link'; readonly link: LinkState };
  readonly ask: 'view';
  readonly answer: MainView;
}
