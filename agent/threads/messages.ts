import type { ChangeSeq, LogId } from '../domain/brand.js';
import type { DiskFigures, DiskState } from '../domain/disk.js';
import type { Told } from '../domain/gateway-clock.js';
import type { AnalysisResult, BundleState, LinkState } from '../domain/results.js';
import type { Settled, StreamName } from '../domain/stored.js';
import type { Trust } from '../domain/trust.js';

/**
 * Everything that crosses between the two threads. The main thread alone writes; its companion reads the buffer through
 * connections of its own and sends what it found.
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
  readonly connections: number;
  readonly startedAtMs: number;
  readonly clock: ClockState;
  readonly link: LinkState;
  readonly bundle: BundleState | null;
  readonly disk: DiskState & DiskFigures;
}

export interface ToCompanion {
  readonly message:
    | { readonly kind: 'rows-waiting' }
    | { readonly kind: 'slots-closed' }
    /** The result that reaches this far is in the buffer. */
    | { readonly kind: 'result-stored'; readonly analysedUpTo: ChangeSeq }
    | { readonly kind: 'sync-now' }
    | { readonly kind: 'checkpoint'; readonly truncate: boolean }
    /** What the kernel's counter must be added to, and whether that is known. */
    | { readonly kind: 'clock'; readonly baseMs: number; readonly isKnown: boolean };
  readonly ask: never;
  readonly answer: never;
}

/** What was computed of the slots of this log; of another it is of no use. */
export interface FoundResult {
  readonly kind: 'result';
  readonly logId: LogId;
  readonly result: AnalysisResult;
}

export interface FoundBundle {
  readonly kind: 'bundle';
  readonly bundle: BundleState;
}

export interface FromCompanion {
  readonly message:
    | FoundResult
    | FoundBundle
    | { readonly kind: 'listening'; readonly address: string }
    /** It could not read what it asked the buffer for. */
    | { readonly kind: 'damage'; readonly logId: string; readonly cause: string }
    | { readonly kind: 'settled'; readonly stream: StreamName; readonly settled: Settled }
    | { readonly kind: 'checkpointed'; readonly bytes: number }
    | { readonly kind: 'told'; readonly told: Told }
    | { readonly kind: 'link'; readonly link: LinkState };
  readonly ask: 'view';
  readonly answer: MainView;
}
