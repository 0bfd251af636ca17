import type { EpochMs, MeterId } from './brand.js';

/** Whose clock gave a reading its time. */
export type TimeSource = 'meter' | 'gateway';

/** A missing field was not reported; zero is a value. */
export interface Values {
  /** Positive is import from the grid. */
  readonly powerW?: number | undefined;
  readonly importWh?: number | undefined;
  readonly exportWh?: number | undefined;
  readonly voltageV?: number | undefined;
  readonly currentA?: number | undefined;
  readonly powerFactor?: number | undefined;
  readonly frequencyHz?: number | undefined;
}

/** One value set accepted from a meter. */
export interface Reading extends Values {
  readonly meter: MeterId;
  readonly takenAtMs: EpochMs;
  readonly timeSource: TimeSource;
  readonly receivedAtMs: EpochMs;
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
] as const satisfies readonly (keyof Values)[];

export type Measure = keyof Values;

/** To be filled. Where all have all fields, whatever was reported, the engine need not look for any: under load that tells. */
export const noValues = (): { -readonly [Name in keyof Required<Values>]: Values[Name] } => ({
  powerW: undefined,
  importWh: undefined,
  exportWh: undefined,
  voltageV: undefined,
  currentA: undefined,
  powerFactor: undefined,
  frequencyHz: undefined,
});

export const isEmpty = (values: Values): boolean => MEASURES.every((measure) => values[measure] === undefined);
