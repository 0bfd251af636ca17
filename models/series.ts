import type { EpochMs, MeterId } from '../agent/domain/brand.js';
import type { Place } from './window/calendar.js';

/** More than any meter measures, in either direction: a tenth of what all power stations of the world could give. */
export const MOST_W = 1e12;

/** Mean power of one meter in consecutive slots; NaN where nothing is known. What both models are trained on. */
export interface MeterSeries {
  readonly meter: MeterId;
  readonly startMs: EpochMs;
  readonly powerW: Float32Array;
  /** Of the place where the meter stands, in the same slots; where it is known. */
  readonly temperatureC?: Float32Array;
  /** Where that is not the place of those it is trained and measured with. */
  readonly place?: Place;
  /** How often it is drawn in training, where others are drawn once; a whole number. */
  readonly draws?: number;
  /** Spans that nothing may be learnt from, such as a theft that was found. */
  readonly excludedMs?: readonly (readonly [fromMs: number, toMs: number])[];
}

/** Nothing of what comes after so many slots, the weather included. */
export function firstSlots(series: MeterSeries, count: number): MeterSeries {
  const slots = Math.min(Math.max(count, 0), series.powerW.length);
  return {
    ...series,
    powerW: series.powerW.subarray(0, slots),
    ...(series.temperatureC === undefined ? {} : { temperatureC: series.temperatureC.subarray(0, slots) }),
  };
}

/** Nothing can be learnt from it, and no error on it says anything. */
export function neverChanges({ powerW }: MeterSeries): boolean {
  const first = powerW.find(Number.isFinite);
  return powerW.every((watts) => watts === first || !Number.isFinite(watts));
}

export interface TrainingProgress {
  readonly phase: 'forecast' | 'theft' | 'export' | 'evaluate';
  /** 0..1 within the phase. */
  readonly done: number;
  readonly detail: string;
}

export type OnProgress = (progress: TrainingProgress) => void;
