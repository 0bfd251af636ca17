import type { EpochMs } from '../../agent/domain/brand.js';

/** Mean power of one meter in consecutive slots of a fleet; NaN where nothing is known. */
export interface FleetMeter {
  readonly meter: string;
  /** The feeder that supplies it, where that is known. */
  readonly feeder?: string;
  readonly powerW: Float32Array;
}

export interface FleetFeeder {
  readonly feeder: string;
  readonly powerW: Float32Array;
  /** Meters that it supplies and of which nothing is reported: its balance cannot be drawn. */
  readonly unreported?: readonly string[];
}

export const isComplete = ({ unreported = [] }: FleetFeeder): boolean => unreported.length === 0;

/** Whole days of a fleet, all on the same slots. */
export interface FleetPower {
  /** Local midnight. */
  readonly startMs: EpochMs;
  readonly slotsPerDay: number;
  readonly days: number;
  readonly meters: readonly FleetMeter[];
  readonly feeders: readonly FleetFeeder[];
}

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday; 0 is Monday here. */
const FIRST_WEEKDAY = 3;

export const weekdayOf = ({ startMs }: { startMs: number }, day: number): number =>
  (Math.floor(startMs / DAY_MS) + FIRST_WEEKDAY + day) % 7;

export const dayOf = (powerW: Float32Array, slotsPerDay: number, day: number): Float32Array =>
  powerW.subarray(day * slotsPerDay, (day + 1) * slotsPerDay);
