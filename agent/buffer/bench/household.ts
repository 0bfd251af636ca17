import { type EpochMs, epochMs, type MeterId } from '../../domain/brand.js';
import type { Random } from '../../domain/clock.js';
import type { Reading } from '../../domain/reading.js';

/** A plausible home, reading by reading: a fridge, people who switch things on, a grid that wavers. */
export interface Household {
  next(atMs: EpochMs): Reading;
}

interface Appliance {
  readonly powerW: number;
  readonly onceIn: number;
  readonly lasts: number;
}

/** Chances and durations in readings of ten seconds. */
const APPLIANCES: readonly Appliance[] = [
  { powerW: 2_000, onceIn: 3_000, lasts: 18 },
  { powerW: 1_100, onceIn: 4_000, lasts: 24 },
  { powerW: 2_400, onceIn: 9_000, lasts: 200 },
  { powerW: 150, onceIn: 900, lasts: 500 },
  { powerW: 60, onceIn: 400, lasts: 300 },
];
const FRIDGE = { powerW: 95, period: 270, on: 95 };

export function createHousehold(meter: MeterId, random: Random): Household {
  const baseW = 60 + 200 * random();
  const running = APPLIANCES.map(() => 0);
  const phase = Math.floor(random() * FRIDGE.period);
  let step = 0;
  let importWh = 1e6 * random();
  let volts = 232;

  return {
    next(atMs) {
      step += 1;
      let watts = baseW * (1 + 0.02 * (random() - 0.5));
      if ((step + phase) % FRIDGE.period < FRIDGE.on) watts += FRIDGE.powerW * (1 + 0.03 * (random() - 0.5));
      APPLIANCES.forEach(({ powerW, onceIn, lasts }, index) => {
        if (random() < 1 / onceIn) running[index] = Math.round(lasts * (0.5 + random()));
        const left = running[index] ?? 0;
        if (left > 0) watts += powerW * (1 + 0.02 * (random() - 0.5));
        running[index] = Math.max(0, left - 1);
      });
      importWh += watts / 360;
      volts += 0.03 * (232 - volts) + 0.5 * (random() - 0.5);
      return {
        meter,
        takenAtMs: epochMs(atMs),
        timeSource: 'meter',
        receivedAtMs: epochMs(atMs),
        powerW: Math.round(watts),
        importWh: Math.floor(importWh * 10) / 10,
        voltageV: Math.round(volts * 10) / 10,
        flags: 0,
      };
    },
  };
}
