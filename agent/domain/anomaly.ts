import type { EpochMs, MeterId } from './brand.js';

export const ANOMALY_TYPES = ['high_consumption', 'low_consumption', 'unusual_pattern'] as const;
export type AnomalyType = (typeof ANOMALY_TYPES)[number];

/** One scored slot above the threshold. */
export interface Anomaly {
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  readonly score: number;
  readonly rawScore: number;
  readonly type: AnomalyType;
  readonly expectedWh: number;
  readonly actualWh: number;
  /** Evidence by name, strongest first; shares of the score that add up to at most 1. */
  readonly contributions: readonly { readonly feature: string; readonly share: number }[];
  /** The hours before it in figures by name, for the record; what is not known is left out. */
  readonly circumstances: Readonly<Record<string, number | boolean>>;
  readonly sentence: string;
  readonly modelVersion: string;
}
