import type { Random } from '../../agent/domain/clock.js';
import { between, logNormal } from './random-stream.js';
import { EULV_SHAPES } from './shapes/eulv.gen.js';

/** Shares of households that have something; a trial may want more of them than a street has. */
export interface Equipment {
  readonly solar: number;
  readonly vehicle: number;
  readonly waterHeater: number;
  readonly electricHeating: number;
  readonly nightStorage: number;
  readonly heatPump: number;
  readonly cooling: number;
  readonly threePhases: number;
}

export const STREET: Equipment = {
  solar: 0.04,
  vehicle: 0.03,
  waterHeater: 0.1,
  electricHeating: 0.08,
  nightStorage: 0.05,
  heatPump: 0.03,
  cooling: 0.03,
  threePhases: 0.15,
};

/** What makes one household differ from the next. */
export interface Traits {
  readonly persons: number;
  /** Which weekdays, from Monday on, are usually spent at home. */
  readonly homeDays: readonly boolean[];
  readonly wakeHour: number;
  readonly sleepHour: number;
  readonly leaveHour: number;
  readonly returnHour: number;
  /** How much of everything that somebody starts, over the usual of that many persons. */
  readonly habit: number;
  /** By how many half hours everything that has its hour is early or late here. */
  readonly shiftHalves: number;
  /** Activity per half hour of a day, mean 1. */
  readonly shape: Float32Array;
  readonly standbyW: number;
  readonly fridges: readonly Thermostat[];
  readonly lightingW: number;
  /** What runs as long as somebody is up and at home. */
  readonly presenceW: number;
  readonly screenW: number;
  readonly kettleW: number;
  readonly cookerW: number;
  readonly washerW: number;
  readonly dryerW: number;
  readonly dishwasherW: number;
  /** An electric shower, as in many British homes; 0 without. */
  readonly showerW: number;
  readonly waterHeaterW: number;
  readonly heating: Heating;
  readonly coolingW: number;
  readonly vehicle: { readonly chargerW: number; readonly kwhPerWeek: number } | null;
  readonly solarPeakW: number;
  /** 1, or 3 with the share of the load that each carries. */
  readonly phaseShares: readonly number[];
  readonly tariff: 'flat' | 'night';
  /** Weeks away per year. */
  readonly holidayWeeks: number;
}

export interface Thermostat {
  readonly watts: number;
  readonly periodMinutes: number;
  readonly duty: number;
}

export type Heating =
  /** Something burns; only its pump and fan are electric. */
  | { readonly kind: 'boiler'; readonly watts: number; readonly wattsPerDegree: number }
  | { readonly kind: 'panel'; readonly watts: number; readonly wattsPerDegree: number }
  | { readonly kind: 'storage'; readonly watts: number; readonly wattsPerDegree: number }
  | { readonly kind: 'heat_pump'; readonly watts: number; readonly wattsPerDegree: number };

export function drawTraits(random: Random, equipment: Equipment = STREET): Traits {
  const persons = pick(random, [0.29, 0.35, 0.16, 0.14, 0.06]) + 1;
  // Some live on little, however many they are.
  const size = (0.55 + 0.2 * persons) * logNormal(random, 0.5);
  const has = (share: number): boolean => random() < share;
  const wakeHour = between(random, 5.5, 8.5);
  const vehicle = has(equipment.vehicle);
  const heating = drawHeating(random, equipment, size);
  const waterHeater = has(equipment.waterHeater);
  const atHome = has(0.45) ? between(random, 0.7, 1) : between(random, 0.05, 0.5);
  return {
    persons,
    homeDays: Array.from({ length: 5 }, () => has(atHome)),
    wakeHour,
    sleepHour: between(random, 21.5, 25),
    leaveHour: wakeHour + between(random, 0.8, 1.8),
    returnHour: between(random, 14, 19),
    habit: logNormal(random, 0.5),
    shiftHalves: Math.round(between(random, -3, 3)),
    shape: shapeOf(Math.floor(random() * EULV_SHAPES.length)),
    standbyW: size * 70 * logNormal(random, 0.6),
    fridges: Array.from({ length: has(0.35) ? 2 : 1 }, () => ({
      watts: between(random, 70, 170),
      periodMinutes: between(random, 35, 80),
      duty: between(random, 0.22, 0.45),
    })),
    lightingW: size * between(random, 80, 300),
    presenceW: size * between(random, 30, 190),
    screenW: size * between(random, 60, 190),
    kettleW: between(random, 1_800, 3_000),
    cookerW: has(0.65) ? between(random, 1_200, 2_600) : 0,
    washerW: has(0.95) ? between(random, 1_700, 2_200) : 0,
    dryerW: has(0.4) ? between(random, 1_400, 2_600) : 0,
    dishwasherW: has(0.42) ? between(random, 1_700, 2_100) : 0,
    showerW: !waterHeater && has(0.25) ? between(random, 7_000, 9_500) : 0,
    waterHeaterW: waterHeater ? between(random, 1_500, 3_000) : 0,
    heating,
    coolingW: has(equipment.cooling) ? between(random, 600, 1_800) : 0,
    vehicle: vehicle
      ? { chargerW: [3_700, 7_400, 11_000][pick(random, [0.4, 0.45, 0.15])] ?? 0, kwhPerWeek: between(random, 15, 70) }
      : null,
    solarPeakW: has(equipment.solar) ? between(random, 1_500, 5_500) : 0,
    phaseShares: has(equipment.threePhases) ? shares(random) : [1],
    tariff: heating.kind === 'storage' || has(waterHeater || vehicle ? 0.5 : 0.1) ? 'night' : 'flat',
    holidayWeeks: between(random, 0, 5),
  };
}

function drawHeating(random: Random, equipment: Equipment, size: number): Heating {
  const lot = random();
  const wattsPerDegree = size * between(random, 60, 160);
  if (lot < equipment.electricHeating)
    return { kind: 'panel', watts: size * between(random, 1_200, 3_000), wattsPerDegree };
  if (lot < equipment.electricHeating + equipment.nightStorage) {
    return { kind: 'storage', watts: size * between(random, 3_000, 6_000), wattsPerDegree };
  }
  if (lot < equipment.electricHeating + equipment.nightStorage + equipment.heatPump) {
    return { kind: 'heat_pump', watts: size * between(random, 1_000, 2_500), wattsPerDegree: wattsPerDegree / 3 };
  }
  return { kind: 'boiler', watts: between(random, 60, 200), wattsPerDegree: between(random, 10, 30) };
}

/** One of the published profiles, smoothed over neighbours so that its one day is not repeated for ever. */
function shapeOf(number: number): Float32Array {
  const text = EULV_SHAPES[number] ?? '';
  const root = Array.from({ length: 48 }, (_, half) => Number.parseInt(text.slice(2 * half, 2 * half + 2), 16) / 2);
  const smooth = root.map((here, half) => {
    let sum = 2 * here;
    for (const away of [-2, -1, 1, 2]) sum += root[(half + away + 48) % 48] ?? 0;
    return sum / 6;
  });
  const mean = smooth.reduce((sum, value) => sum + value, 0) / 48;
  return Float32Array.from(smooth, (value) => value / mean);
}

function shares(random: Random): readonly number[] {
  const parts = [between(random, 0.2, 1), between(random, 0.2, 1), between(random, 0.2, 1)];
  const sum = parts.reduce((all, part) => all + part, 0);
  return parts.map((part) => part / sum);
}

function pick(random: Random, chances: readonly number[]): number {
  let lot = random();
  for (const [index, chance] of chances.entries()) {
    if (lot < chance) return index;
    lot -= chance;
  }
  return chances.length - 1;
}
