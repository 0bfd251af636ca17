import type { EpochMs, MeterId } from './brand.js';

/** Mean power over one span of the future, as a median and the band that should hold nine actuals of ten. */
export interface ForecastStep {
  /** From the end of the window to the beginning of the span, in slots. */
  readonly offsetSlots: number;
  readonly slots: number;
  readonly lowW: number;
  readonly medianW: number;
  readonly highW: number;
}

export interface Forecast {
  readonly meter: MeterId;
  /** Start of the first slot that the forecast speaks of. */
  readonly issuedSlotMs: EpochMs;
  readonly modelVersion: string;
  readonly steps: readonly ForecastStep[];
}
