import type { EpochMs, MeterId } from './brand.js';

/** A piece of the future. */
export interface Span {
  /** From the end of the window to the beginning of the span, in slots. */
  readonly offsetSlots: number;
  readonly slots: number;
}

/** Mean power over one span, as a median and the band that should hold nine actuals of ten. */
export interface ForecastStep extends Span {
  readonly lowW: number;
  readonly medianW: number;
  readonly highW: number;
}

interface Issued {
  readonly meter: MeterId;
  /** Start of the first slot that the forecast speaks of. */
  readonly issuedSlotMs: EpochMs;
  readonly modelVersion: string;
}

export interface Forecast extends Issued {
  readonly steps: readonly ForecastStep[];
}

/**
 * As it is stored and sent (forecast-packing.ts). Forecasts cross between threads like this: a copy of their steps would
 * cost more than making them.
 */
export interface PackedForecast extends Issued {
  readonly packed: Uint8Array;
}
