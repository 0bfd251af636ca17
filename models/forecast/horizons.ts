import { SLOT_MINUTES } from '../../agent/domain/slot.js';

/** One span of the future: from `offset` slots after the window's end, `slots` long; its mean power is forecast. */
export interface Horizon {
  readonly offset: number;
  readonly slots: number;
}

/** Those of a day that slots begin with; a file may have others that a gateway does not. */
export const SLOT_WIDTHS = [5, 10, 15, 30, 60] as const;
export const SLOTS_PER_HOUR = 60 / SLOT_MINUTES;

const DAY_MINUTES = 1_440;
const HOURS = 24;

export const slotsPerDay = (slotMinutes: number): number => DAY_MINUTES / slotMinutes;

/**
 * What a bundle of this slot width forecasts: the next hour slot by slot and the next day hour by hour; from half an
 * hour on, each slot of the next day.
 */
export function horizonsFor(slotMinutes: number): readonly Horizon[] {
  const hour = 60 / slotMinutes;
  const single = (_: unknown, offset: number): Horizon => ({ offset, slots: 1 });
  if (slotMinutes >= 30) return Array.from({ length: slotsPerDay(slotMinutes) }, single);
  const hours = Array.from({ length: HOURS }, (_, index) => ({ offset: index * hour, slots: hour }));
  return [...Array.from({ length: hour }, single), ...hours];
}

/** Those of the slots that a gateway keeps unless it is told otherwise. */
export const HORIZONS: readonly Horizon[] = horizonsFor(SLOT_MINUTES);

/** How far the longest horizon reaches, in slots. */
export const reachOf = (horizons: readonly Horizon[]): number =>
  horizons.reduce((farthest, { offset, slots }) => Math.max(farthest, offset + slots), 0);

export const QUANTILES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95] as const;
/** Positions in QUANTILES: the edges of the band that should hold nine actuals of ten, and the median. */
export const LOW = 0;
export const MEDIAN = 3;
export const HIGH = 6;

/** The forecast of one meter. */
export interface ForecastRow {
  /** Watts, `[step, quantile]` row by row: finite, and never crossing within a step. */
  readonly watts: Float32Array;
}

/** Watts of one step of a row at one quantile (an index into QUANTILES). */
export function wattsAt(row: ForecastRow, step: number, quantile: number): number {
  return row.watts[step * QUANTILES.length + quantile] ?? Number.NaN;
}
