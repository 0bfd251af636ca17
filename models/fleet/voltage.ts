import { unitOf } from './random-stream.js';

/** Of which fleet, and which of its meters: everything random about a meter is drawn by these. */
export interface MeterNumber {
  readonly seed: number;
  readonly number: number;
}

const NOISE_STREAM = 42;
const WATTS_PER_VOLT = 4_000;
const LARGEST_SAG_V = 4;

/** Between -0.5 and 0.5, another each second and for each purpose. */
export const meterNoise = ({ seed, number }: MeterNumber, atMs: number, purpose: number): number =>
  unitOf(seed, NOISE_STREAM, number, Math.floor(atMs / 1_000), purpose) - 0.5;

/** At the terminals of a meter while its feeder has voltage: the network's swing, less what the load takes of it. */
export function voltageAt(meter: MeterNumber, atMs: number, watts: number): number {
  const sag = Math.min(Math.abs(watts) / WATTS_PER_VOLT, LARGEST_SAG_V);
  return 230 + 4 * Math.sin(atMs / 13_000_000 + meter.number) - sag + meterNoise(meter, atMs, 0);
}
