import type { EpochMs } from '../../agent/domain/brand.js';

/** Mean power of one meter in consecutive slots of a fleet; NaN where nothing is known. */
export interface FleetMeter {
  readonly meter: string;
  /** The feeder that supplies it, where that is known. */
  readonly feeder?: string;
  readonly powerW: Float32Array;
  readonly signs?: MeterSigns;
}

/**
 * What a meter shows beside its power, by day of the fleet. No score knows of it: it is for the words of a finding.
 * Whatever a meter does not measure is left out.
 */
export interface MeterSigns {
  /** While it was measured; 0 in an outage, NaN where nothing is known. */
  readonly lowestVoltageV?: Float32Array;
  /** How many phases carried no current while others did. */
  readonly silentPhases?: Uint8Array;
  /** 1 where the meter said that it was tampered with. */
  readonly tamperFlag?: Uint8Array;
  /** Energy by which its register went back. */
  readonly rolledBackWh?: Float32Array;
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
