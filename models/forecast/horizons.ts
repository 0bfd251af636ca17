import type { ForecastStep } from '../../agent/domain/forecast.js';

/** One span of the future: from `offset` slots after the window's end, `slots` long; its mean power is forecast. */
export interface Horizon {
  readonly offset: number;
  readonly slots: number;
}

export const SLOTS_PER_HOUR = 12;
const SINGLE_SLOTS = 12;
const HOURS = 24;

/** At five minutes: the next hour slot by slot, then the next day hour by hour. */
export const HORIZONS: readonly Horizon[] = [
  ...Array.from({ length: SINGLE_SLOTS }, (_, offset) => ({ offset, slots: 1 })),
  ...Array.from({ length: HOURS }, (_, hour) => ({ offset: hour * SLOTS_PER_HOUR, slots: SLOTS_PER_HOUR })),
];

/** How far the longest horizon reaches, in slots. */
export const REACH_SLOTS = HOURS * SLOTS_PER_HOUR;

/** Lower edge of the band, median, upper edge. */
export const QUANTILES = [0.05, 0.5, 0.95] as const;

/** The forecast of one meter. */
export interface ForecastRow {
  /** Watts, `[step, quantile]` row by row: finite, and never crossing within a step. */
  readonly watts: Float32Array;
}

/** Watts of one step of a row at one quantile (an index into QUANTILES). */
export function wattsAt(row: ForecastRow, step: number, quantile: number): number {
  return row.watts[step * QUANTILES.length + quantile] ?? Number.NaN;
}

export function stepsOf(row: ForecastRow, horizons: readonly Horizon[]): readonly ForecastStep[] {
  return horizons.map(({ offset, slots }, step) => ({
    offsetSlots: offset,
    slots,
    lowW: wattsAt(row, step, 0),
    medianW: wattsAt(row, step, 1),
    highW: wattsAt(row, step, 2),
  }));
}
