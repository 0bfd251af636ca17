import { type Run, runsOf } from './appliances.js';
import { HALVES, occupancyOf } from './occupancy.js';
import { PowerDay } from './power-day.js';
import { gaussian, streamOf, unitOf, wander } from './random-stream.js';
import { addClimate, addFridges } from './thermostats.js';
import { drawTraits, type Equipment, STREET, type Traits } from './traits.js';
import type { Weather } from './weather.js';

export interface HouseholdOptions {
  readonly seed: number;
  /** Which of the households that this seed makes. */
  readonly number: number;
  readonly weather: Weather;
  /** Divides a day; finer steps show the same energy in more detail. */
  readonly stepMinutes: number;
  readonly equipment?: Equipment;
}

/** One UTC day of a household, as mean power per step. */
export interface HouseholdDay {
  readonly consumedW: Float32Array;
  /** From the sun; null where there is no panel. */
  readonly producedW: Float32Array | null;
  readonly state: 'lived_in' | 'away' | 'vacant';
}

export interface Household {
  readonly number: number;
  /** Who lives there on that day; null while nobody does. */
  traitsOf(day: number): Traits | null;
  /** A day since 1970. Any day in any order gives the same. */
  day(day: number): HouseholdDay;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Purposes of random streams; a number keeps its meaning, or old seeds make other fleets. */
const STREAM = { traits: 1, lease: 2, day: 3, holiday: 4, weekend: 5, noise: 6, mood: 7 } as const;
/** Holidays are looked for in blocks of this many days, at most one in each. */
const HOLIDAY_BLOCK = 60;

export function createHousehold(options: HouseholdOptions): Household {
  const { number, weather, stepMinutes, equipment = STREET } = options;
  const seed = Math.floor(unitOf(options.seed, number) * 2 ** 32);
  const building = drawTraits(streamOf(seed, STREAM.traits, 0), equipment);
  // People move after one and a half to fifteen years, and the rooms stand empty for up to a month.
  const leaseDays = 550 + Math.floor(4_900 * unitOf(seed, STREAM.lease, 0));
  const leaseBegan = Math.floor(leaseDays * unitOf(seed, STREAM.lease, 1));
  const emptyDays = Math.floor(30 * unitOf(seed, STREAM.lease, 2) ** 2);

  let tenants = { lease: 0, traits: building };
  /** What was started the day before may still run; days are mostly asked for in order. */
  let before: { readonly day: number; readonly runs: readonly Run[] } | undefined;

  function traitsOf(day: number): Traits | null {
    const lease = Math.floor((day + leaseBegan) / leaseDays);
    if (day + leaseBegan - lease * leaseDays < emptyDays) return null;
    if (tenants.lease !== lease) tenants = { lease, traits: tenantsOf(lease) };
    return tenants.traits;
  }

  /** They bring their habits and their machines; what is built in stays. */
  function tenantsOf(lease: number): Traits {
    const { heating, waterHeaterW, showerW, coolingW, solarPeakW, phaseShares, tariff } = building;
    const people = drawTraits(streamOf(seed, STREAM.traits, lease), equipment);
    return { ...people, heating, waterHeaterW, showerW, coolingW, solarPeakW, phaseShares, tariff };
  }

  function isAway(day: number, traits: Traits): boolean {
    const week = Math.floor((day + 3) / 7); // 1970 began on a Thursday: weeks from Monday on
    if (isWeekend(day) && unitOf(seed, STREAM.weekend, week) < 0.06) return true;
    const block = Math.floor(day / HOLIDAY_BLOCK);
    const random = streamOf(seed, STREAM.holiday, block);
    const length = Math.floor(Math.min(28, (traits.holidayWeeks * 7 * HOLIDAY_BLOCK * 2 * random()) / 365));
    const begins = block * HOLIDAY_BLOCK + Math.floor(random() * (HOLIDAY_BLOCK - length));
    return day >= begins && day < begins + length;
  }

  function runsStarted(day: number): readonly Run[] {
    const traits = traitsOf(day);
    if (traits === null || isAway(day, traits)) return [];
    const random = streamOf(seed, STREAM.day, day);
    const weekday = (day + 3) % 7;
    const mood = Math.exp(0.3 * gaussian(random) + 0.25 * wander(seed + STREAM.mood, day / 9));
    return runsOf(
      { traits, present: occupancyOf(traits, weekday, random), weekend: isWeekend(day), mood, ...outside(day) },
      random,
    );
  }

  function outside(day: number): { darkness: Float32Array; temperatureC: Float32Array } {
    const at = (of: (atMs: number) => number) =>
      Float32Array.from({ length: HALVES }, (_, half) => of(day * DAY_MS + (half * 30 + 15) * MINUTE_MS));
    return { darkness: at(weather.darkness), temperatureC: at(weather.temperatureC) };
  }

  function produced(day: number, traits: Traits): Float32Array | null {
    if (traits.solarPeakW === 0) return null;
    const watts = new Float32Array(1_440 / stepMinutes);
    for (let step = 0; step < watts.length; step++) {
      const atMs = day * DAY_MS + (step + 0.5) * stepMinutes * MINUTE_MS;
      watts[step] = traits.solarPeakW * 0.9 * weather.sunshine(atMs);
    }
    return watts;
  }

  /** Voltage, motors and electronics: a few per cent up and down within minutes. */
  function fluctuate(day: number, watts: Float32Array): void {
    for (let step = 0; step < watts.length; step++) {
      const minute = day * 1_440 + step * stepMinutes;
      watts[step] = (watts[step] ?? 0) * (1 + 0.04 * wander(seed + STREAM.noise, minute / 7));
    }
  }

  return {
    number,
    traitsOf,
    day(day) {
      const traits = traitsOf(day);
      const last = before?.day === day - 1 ? before.runs : runsStarted(day - 1);
      const runs = runsStarted(day);
      before = { day, runs };
      const power = new PowerDay(stepMinutes);
      for (const { fromMinute, minutes, watts } of last) power.add(fromMinute - 1_440, minutes, watts);
      for (const { fromMinute, minutes, watts } of runs) power.add(fromMinute, minutes, watts);
      const away = traits !== null && isAway(day, traits);
      if (traits !== null) {
        power.add(0, 1_440, traits.standbyW);
        addFridges(power, traits, { seed, day });
        addClimate(power, traits, { seed, day, away, temperatureC: outside(day).temperatureC });
      }
      fluctuate(day, power.watts);
      return {
        consumedW: power.watts,
        producedW: produced(day, traits ?? building),
        state: traits === null ? 'vacant' : away ? 'away' : 'lived_in',
      };
    },
  };
}

export const isWeekend = (day: number): boolean => (day + 3) % 7 >= 5;
