import type { Values } from '../domain/reading.js';
import { SCALE } from '../domain/stored.js';

// Two values of 32 bits that one hash is made of. Numbers and not strings: this runs for every reading.
let low = 0;
let high = 0;

function begin(): void {
  low = 0x811c9dc5;
  high = 0x9747b28c;
}

function mix(packed: number | null): void {
  const value = packed ?? Number.MIN_SAFE_INTEGER;
  const upper = Math.floor(value / 0x1_0000_0000);
  low = Math.imul(low ^ value, 0x85ebca6b);
  low = Math.imul(low ^ (low >>> 13) ^ upper, 0xc2b2ae35);
  high = Math.imul(high ^ (value + upper), 0x9e3779b1);
  high = Math.imul(high ^ (high >>> 15) ^ low, 0x27d4eb2f);
}

/** 53 bits: whole in a double. */
const end = (): number => (high >>> 11) * 0x1_0000_0000 + ((low ^ (low >>> 16)) >>> 0);

/** Of the values as the buffer stores them, registers aside: after a restart they come from there, rounded. */
export function printOfValues({ powerW, voltageV, currentA, powerFactor, frequencyHz }: Values): number {
  begin();
  mix(SCALE.powerDw.pack(powerW));
  mix(SCALE.voltageCv.pack(voltageV));
  mix(SCALE.currentMa.pack(currentA));
  mix(SCALE.powerFactorPm.pack(powerFactor));
  mix(SCALE.frequencyChz.pack(frequencyHz));
  return end();
}

/** Of the registers as they were sent: standing, and grown since the reading before. */
export function printOfRegisters(
  importWh: number | undefined,
  exportWh: number | undefined,
  importDeltaWh: number | undefined,
  exportDeltaWh: number | undefined,
): number {
  begin();
  mix(SCALE.energyDwh.pack(importWh));
  mix(SCALE.energyDwh.pack(exportWh));
  mix(SCALE.energyDwh.pack(importDeltaWh));
  mix(SCALE.energyDwh.pack(exportDeltaWh));
  return end();
}
