import type { EpochMs, MeterId } from '../agent/domain/brand.js';

/** Mean power of one meter in consecutive slots; NaN where nothing is known. What both models are trained on. */
export interface MeterSeries {
  readonly meter: MeterId;
  readonly startMs: EpochMs;
  readonly powerW: Float32Array;
  /** Spans that nothing may be learnt from, such as a theft that was found. */
  readonly excludedMs?: readonly (readonly [fromMs: number, toMs: number])[];
}

export interface TrainingProgress {
  readonly phase: 'forecast' | 'theft' | 'export' | 'evaluate';
  /** 0..1 within the phase. */
  readonly done: number;
  readonly detail: string;
}

export type OnProgress = (progress: TrainingProgress) => void;
