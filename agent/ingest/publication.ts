import type { EpochMs } from '../domain/brand.js';

/** One PUBLISH that claims to be a reading, as it came off the wire. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The sender marks it as a repeat of something it may have sent before. */
  readonly repeated: boolean;
  readonly receivedAtMs: EpochMs;
}

/** Stores a batch. When it returns, the batch is on disk; when it throws, nothing of it is. */
export type Accept = (batch: readonly Publication[]) => void;

/** What ingest is for, and the one thing it has to know of a topic. */
export interface Sink {
  readonly accept: Accept;
  /** Whether what is published on this topic is to be stored before it is acknowledged. */
  isReading(topic: string): boolean;
}
