import type { ChangeSeq, LogId } from '../domain/brand.js';
import type { DiskFigures, DiskState } from '../domain/disk.js';
import type { Told } from '../domain/gateway-clock.js';
import type { AnalysisResult, BundleState, LinkState } from '../domain/results.js';
import type { Settled, StreamName } from '../domain/stored.js';
import type { Trust } from '../domain/trust.js';

/**
 * Everything that crosses between the three threads. The main thread alone writes; the workers read the buffer through
 * connections of their own and send what they found.
 */

/** A thread's part of /metrics, as prom-client's aggregator takes it. */
export type MetricsJson = readonly object[];

export interface ClockState {
  readonly nowMs: number;
  readonly trust: Trust;
  /** Readings that wait for the time to become known. */
  readonly held: number;
  readonly machineAheadMs: number;
}

/** What only the main thread knows. */
export interface MainView {
  readonly metrics: MetricsJson;
  /** Empty when the analytics thread did not answer in time. */
  readonly analyticsMetrics: MetricsJson;
  readonly connections: number;
  readonly startedAtMs: number;
  readonly clock: ClockState;
  readonly link: LinkState;
  readonly bundle: BundleState | null;
  readonly disk: DiskState & DiskFigures;
}

/** A worker could not read what it asked the buffer for. */
export interface FoundDamage {
  readonly kind: 'damage';
  readonly logId: string;
  readonly cause: string;
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
  readonly message: /** Of slots of this log; what was computed of another is of no use. */
    | { readonly kind: 'result'; readonly logId: LogId; readonly result: AnalysisResult }
    | FoundDamage
    | { readonly kind: 'bundle'; readonly bundle: BundleState };
  readonly ask: never;
  readonly answer: never;
}

export interface ToOutward {
  readonly message:
    | { readonly kind: 'rows-waiting' }
    | { readonly kind: 'sync-now' }
    | { readonly kind: 'checkpoint'; readonly truncate: boolean }
    /** What the kernel's counter must be added to, and whether that is known. */
    | { readonly kind: 'clock'; readonly baseMs: number; readonly isKnown: boolean };
  readonly ask: never;
  readonly answer: never;
}

export interface FromOutward {
  readonly message:
    | { readonly kind: 'listening'; readonly address: string }
    | FoundDamage
    | { readonly kind: 'settled'; readonly stream: StreamName; readonly settled: Settled }
    | { readonly kind: 'checkpointed'; readonly bytes: number }
    | { readonly kind: 'bundle-arrived' }
    | { readonly kind: 'told'; readonly told: Told }
    | { readonly kind: 'bundle'; readonly bundle: BundleState }
    | { readonly kind: 'link'; readonly link: LinkState };
  readonly ask: 'view';
  readonly answer: MainView;
}
