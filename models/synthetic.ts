import { type EpochMs, epochMs, parseMeterId } from '../agent/domain/brand.js';
import { type Random, seededRandom } from '../agent/domain/clock.js';
import { invariant } from '../agent/domain/errors.js';
import { SLOT_MINUTES, SLOT_MS } from '../agent/domain/slot.js';
import type { MeterSeries } from './series.js';

export interface SyntheticOptions {
  readonly meters: number;
  readonly days: number;
  readonly seed: number;
  /** A Monday, midnight UTC, unless told otherwise. */
  readonly startMs?: EpochMs;
}

const SLOTS_PER_DAY = 1_440 / SLOT_MINUTES;
/** Monday 2024-01-01. */
const FIRST_MONDAY = epochMs(1_704_067_200_000);

/** What makes one household differ from the next. */
interface Household {
  readonly baseW: number;
  readonly morningHour: number;
  readonly eveningHour: number;
  readonly morningW: number;
  readonly eveningW: number;
  /** How much of the working day somebody is at home, 0..1. */
  readonly athome: number;
  readonly fridgeW: number;
  readonly fridgePeriod: number;
  readonly fridgeDuty: number;
  /** Kettle, oven, machine: starts per day and their power. */
  readonly appliancesPerDay: number;
  readonly applianceW: number;
  /** Days on which nobody is at home, as a share. */
  readonly awayShare: number;
}

/** Households as a seed makes them: daily shapes, weekends, fridges, appliances, absences, a few missing slots. */
export function createHouseholds({ meters, days, seed, startMs = FIRST_MONDAY }: SyntheticOptions): MeterSeries[] {
  return Array.from({ length: meters }, (_, index) => {
    const random = seededRandom(seed * 100_003 + index);
    const meter = parseMeterId(`household-${String(index + 1).padStart(3, '0')}`);
    invariant(meter !== undefined, 'a generated name is a meter id');
    return { meter, startMs, powerW: householdPower(createHousehold(random), days, random) };
  });
}

function createHousehold(random: Random): Household {
  const between = (low: number, high: number) => low + (high - low) * random();
  const size = between(0.5, 2.2);
  return {
    baseW: between(30, 160),
    morningHour: between(6, 8.5),
    eveningHour: between(17.5, 20.5),
    morningW: size * between(150, 700),
    eveningW: size * between(300, 1_100),
    athome: random(),
    fridgeW: between(60, 140),
    fridgePeriod: between(6, 14),
    fridgeDuty: between(0.25, 0.5),
    appliancesPerDay: size * between(2, 7),
    applianceW: between(800, 2_400),
    awayShare: random() < 0.3 ? 0.08 : 0.01,
  };
}

function householdPower(home: Household, days: number, random: Random): Float32Array {
  const powerW = new Float32Array(days * SLOTS_PER_DAY);
  const fridgePhase = random() * home.fridgePeriod;
  let drift = 0;
  let applianceSlots = 0;
  let applianceW = 0;
  for (let day = 0; day < days; day++) {
    const weekend = day % 7 >= 5;
    const away = random() < home.awayShare;
    const mood = 0.75 + 0.5 * random();
    const late = (random() - 0.5) * 1.2 + (weekend ? 1.5 : 0);
    for (let slot = 0; slot < SLOTS_PER_DAY; slot++) {
      const hour = (slot * 24) / SLOTS_PER_DAY;
      const active = away ? 0 : mood * activity(home, { hour, late, weekend });
      drift = 0.96 * drift + 0.04 * gaussian(random) * 6;
      if (applianceSlots > 0) applianceSlots -= 1;
      else if (random() < (active / (home.eveningW + home.morningW)) * (home.appliancesPerDay / 60)) {
        applianceSlots = 1 + Math.floor(random() * 8);
        applianceW = home.applianceW * (0.6 + 0.8 * random());
      }
      const phase = ((day * SLOTS_PER_DAY + slot + fridgePhase) / home.fridgePeriod) % 1;
      const fridge = phase < home.fridgeDuty ? home.fridgeW : 0;
      const appliance = applianceSlots > 0 ? applianceW : 0;
      const noise = 1 + 0.06 * gaussian(random);
      const watts = (home.baseW + fridge + active * Math.exp(0.12 * drift) + appliance) * noise;
      const missing = random() < 0.002;
      powerW[day * SLOTS_PER_DAY + slot] = missing ? Number.NaN : Math.max(0, watts);
    }
  }
  return powerW;
}

function activity(home: Household, at: { hour: number; late: number; weekend: boolean }): number {
  const peak = (centre: number, width: number) => Math.exp(-(((at.hour - centre) / width) ** 2));
  const morning = home.morningW * peak(home.morningHour + at.late, 1.1);
  const evening = home.eveningW * (peak(home.eveningHour + at.late / 3, 2.2) + 0.3 * peak(22.5, 1.5));
  const daytime = (at.weekend ? 0.5 : 0.3 * home.athome) * home.eveningW * peak(13, 3.5);
  return morning + evening + daytime;
}

/** Box and Muller's normal deviate. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export const syntheticEndMs = ({ days, startMs = FIRST_MONDAY }: SyntheticOptions): EpochMs =>
  epochMs(startMs + days * SLOTS_PER_DAY * SLOT_MS);
