import type { PowerDay } from './power-day.js';
import { unitOf } from './random-stream.js';
import type { Thermostat, Traits } from './traits.js';

interface Moment {
  readonly seed: number;
  readonly day: number;
}

/** Cycles have numbers since 1970, so that midnight is no border to them. */
export function addFridges(power: PowerDay, { fridges }: Traits, { seed, day }: Moment): void {
  for (const [index, fridge] of fridges.entries()) {
    addCycles(power, fridge, { seed: seed + 100 + index, day });
  }
}

function addCycles(power: PowerDay, { watts, periodMinutes, duty }: Thermostat, { seed, day }: Moment): void {
  const midnight = day * 1_440;
  const first = Math.floor(midnight / periodMinutes) - 1;
  const last = Math.ceil((midnight + 1_440) / periodMinutes);
  for (let cycle = first; cycle <= last; cycle++) {
    const early = 0.35 * unitOf(seed, cycle);
    const length = duty * (0.8 + 0.4 * unitOf(seed + 1, cycle));
    power.add((cycle + early) * periodMinutes - midnight, Math.min(length, 1) * periodMinutes, watts);
  }
}

interface Climate extends Moment {
  readonly away: boolean;
  /** Outside, per half hour. */
  readonly temperatureC: Float32Array;
}

const HEATED_BELOW_C = 15.5;
const COOLED_ABOVE_C = 22;
/** A house that is left for days is only kept from freezing. */
const AWAY_SHARE = 0.25;
const NIGHT_HOURS = 7;
const COOLING_PER_DEGREE = 1 / 8;

export function addClimate(power: PowerDay, traits: Traits, climate: Climate): void {
  const { heating } = traits;
  if (heating.kind === 'storage') loadStorage(power, heating, climate);
  else heat(power, heating, climate);
  if (traits.coolingW > 0 && !climate.away) cool(power, traits.coolingW, climate);
}

type Heater = Traits['heating'];

/** Bricks are charged in the cheap hours with what the day will want. */
function loadStorage(power: PowerDay, { watts, wattsPerDegree }: Heater, { temperatureC, away }: Climate): void {
  const dayMean = temperatureC.reduce((sum, value) => sum + value, 0) / temperatureC.length;
  const wattHours = Math.max(HEATED_BELOW_C - dayMean, 0) * wattsPerDegree * 24 * (away ? AWAY_SHARE : 1);
  power.add(20, Math.min((wattHours / watts) * 60, NIGHT_HOURS * 60), watts);
}

function heat(power: PowerDay, { kind, watts, wattsPerDegree }: Heater, climate: Climate): void {
  for (const [half, celsius] of climate.temperatureC.entries()) {
    const turnedDown = half < 12 || half > 45 ? 0.45 : 1;
    const share = turnedDown * (climate.away ? AWAY_SHARE : 1);
    const wantedW = Math.max(HEATED_BELOW_C - celsius, 0) * wattsPerDegree * share;
    if (kind === 'heat_pump' || kind === 'boiler') power.add(half * 30, 30, Math.min(wantedW, watts));
    else switchOn(power, { half, wantedW, watts }, climate);
  }
}

function cool(power: PowerDay, watts: number, climate: Climate): void {
  for (const [half, celsius] of climate.temperatureC.entries()) {
    const wantedW = watts * Math.max(celsius - COOLED_ABOVE_C, 0) * COOLING_PER_DEGREE;
    switchOn(power, { half, wantedW, watts }, climate);
  }
}

/** On for as much of the half hour as gives the power that is wanted. */
function switchOn(
  power: PowerDay,
  { half, wantedW, watts }: { half: number; wantedW: number; watts: number },
  { seed, day }: Moment,
): void {
  const minutes = 30 * Math.min(wantedW / watts, 1);
  if (minutes === 0) return;
  power.add(half * 30 + unitOf(seed + 200, day, half) * (30 - minutes), minutes, watts);
}
