import { type EpochMs, epochMs, parseMeterId } from '../agent/domain/brand.js';
import { invariant } from '../agent/domain/errors.js';
import { DAY_MS } from '../agent/domain/slot.js';
import { createHousehold, type Household } from './fleet/household.js';
import { createWeather, type Weather } from './fleet/weather.js';
import type { MeterSeries } from './series.js';
import { NOWHERE } from './window/calendar.js';

export interface SimulatedOptions {
  readonly homes: number;
  readonly days: number;
  readonly seed: number;
  readonly startMs: EpochMs;
  readonly slotMinutes: number;
}

/** So many share a sky. */
const HOMES_PER_PLACE = 20;
/** Degrees of latitude at which the places stand in turn: long and short winter nights, air conditioning and heating. */
const LATITUDES = [51.5, 40, 60, 45];

/**
 * The simulator's households as series to train on, honest and undisturbed, with the temperature of their place. They
 * rise and leave by UTC and keep no holidays, whatever place a file beside them is from.
 */
export function simulateHomes({ homes, days, seed, startMs, slotMinutes }: SimulatedOptions): MeterSeries[] {
  const firstDay = Math.ceil(startMs / DAY_MS);
  const slots = 1_440 / slotMinutes;
  const series: MeterSeries[] = [];
  for (let first = 0; first < homes; first += HOMES_PER_PLACE) {
    const place = first / HOMES_PER_PLACE;
    const weather = createWeather(seed + place, LATITUDES[place % LATITUDES.length]);
    const temperatureC = temperatureOf(weather, { firstDay, days, slotMinutes });
    for (let number = first; number < Math.min(first + HOMES_PER_PLACE, homes); number++) {
      const home = createHousehold({ seed: seed + place, number, weather, stepMinutes: slotMinutes });
      const powerW = new Float32Array(days * slots);
      for (let day = 0; day < days; day++) powerW.set(netPower(home, firstDay + day), day * slots);
      const meter = parseMeterId(`simulated-${String(number + 1).padStart(3, '0')}`);
      invariant(meter !== undefined, 'a generated name is a meter id');
      series.push({ meter, startMs: epochMs(firstDay * DAY_MS), powerW, temperatureC, place: NOWHERE });
    }
  }
  return series;
}

function netPower(home: Household, day: number): Float32Array {
  const { consumedW, producedW } = home.day(day);
  return producedW === null ? consumedW : consumedW.map((watts, slot) => watts - (producedW[slot] ?? 0));
}

function temperatureOf(
  weather: Weather,
  { firstDay, days, slotMinutes }: { firstDay: number; days: number; slotMinutes: number },
): Float32Array {
  const slotMs = slotMinutes * 60_000;
  return Float32Array.from({ length: (days * DAY_MS) / slotMs }, (_, slot) =>
    weather.temperatureC(firstDay * DAY_MS + (slot + 0.5) * slotMs),
  );
}
