import type { EpochMs, MeterId } from './brand.js';

/** Whose clock gave a reading its time. */
export type TimeSource = 'meter' | 'gateway';

/** One value set accepted from a meter. A missing field was not reported; zero is a value. */
export interface Reading {
  readonly meter: MeterId;
  readonly takenAtMs: EpochMs;
  readonly timeSource: TimeSource;
  readonly receivedAtMs: EpochMs;
  /** Positive is import from the grid. */
  readonly powerW?: number;
  readonly importWh?: number;
  readonly exportWh?: number;
  readonly voltageV?: number;
  readonly currentA?: number;
  readonly powerFactor?: number;
  readonly frequencyHz?: number;
  /** Bits of domain/flags.ts; 0 when nothing is remarkable about it. */
  readonly flags: number;
}

export const MEASURES = [
  'powerW',
  'importWh',
  'exportWh',
  'voltageV',
  'currentA',
  'powerFactor',
  'frequencyHz',
] as const;

export type Measure = (typeof MEASURES)[number];
