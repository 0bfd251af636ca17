import { epochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import { PROFILE_DAYS, type SeasonalProfile, seasonalProfile } from '../window/seasonal-profile.js';
import { pastSlots } from '../window/slot-windows.js';
import type { History, Weather } from './history.js';
import { type Horizon, slotsPerDay } from './horizons.js';

/** What one deployment of the forecaster is about: how wide its slots are and what it says of the time to come. */
export interface ForecastShape {
  readonly slotMinutes: number;
  readonly horizons: readonly Horizon[];
}

/** A whole series, from which the history of any moment can be asked: what a gateway would have known then. */
export interface SeriesHistory {
  readonly series: MeterSeries;
  readonly shape: ForecastShape;
  /** As of `origin`, the first slot that is not known. */
  at(origin: number): History;
  /** The mean power of each horizon from `origin` on; NaN when less than half of its slots are known. */
  actualsAt(origin: number, out: Float64Array): Float64Array;
  /** How many of these slots are known. */
  known(from: number, to: number): number;
}

export function createSeriesHistory(series: MeterSeries, shape: ForecastShape): SeriesHistory {
  const { powerW, startMs, temperatureC } = series;
  const { horizons, slotMinutes } = shape;
  const slotMs = slotMinutes * 60_000;
  const perDay = slotsPerDay(slotMinutes);
  const remembered = pastSlots(perDay);
  const firstSlot = startMs / slotMs;
  const running = runningSums(powerW);
  const temperatures = temperatureC === undefined ? undefined : runningSums(temperatureC);
  const profiles = new Map<number, SeasonalProfile>();

  /** Of the days before the UTC day of this slot. */
  function profileBefore(day: number): SeasonalProfile {
    let profile = profiles.get(day);
    if (profile === undefined) {
      profile = profileOfDays(powerW, { dayStart: day * perDay - firstSlot, perDay });
      profiles.set(day, profile);
    }
    return profile;
  }

  function weatherAt(origin: number): Weather | undefined {
    if (temperatures === undefined) return undefined;
    const lastDayC = meanOf(temperatures, origin - perDay, origin);
    const nextDayC = meanOf(temperatures, origin, origin + perDay);
    return Number.isNaN(lastDayC + nextDayC) ? undefined : { lastDayC, nextDayC };
  }

  return {
    series,
    shape,
    at(origin) {
      const values = sliceOf(powerW, origin - WINDOW_SLOTS, WINDOW_SLOTS);
      const { median, spread } = profileBefore(Math.floor((firstSlot + origin) / perDay));
      return {
        window: { endMs: epochMs(startMs + origin * slotMs), values },
        past: sliceOf(powerW, origin - WINDOW_SLOTS - remembered, remembered),
        profileMedian: median,
        profileSpread: spread,
        weather: weatherAt(origin),
        place: series.place,
      };
    },
    actualsAt(origin, out) {
      for (const [step, { offset, slots }] of horizons.entries()) {
        const from = origin + offset;
        const count = from + slots > powerW.length ? 0 : span(running.count, from, from + slots);
        out[step] = count * 2 >= slots ? span(running.sum, from, from + slots) / count : Number.NaN;
      }
      return out;
    },
    known: (from, to) => span(running.count, from, to),
  };
}

/** Of whole UTC days, as a gateway makes it once a day. */
function profileOfDays(
  powerW: Float32Array,
  { dayStart, perDay }: { dayStart: number; perDay: number },
): SeasonalProfile {
  return seasonalProfile(sliceOf(powerW, dayStart - PROFILE_DAYS * perDay, PROFILE_DAYS * perDay), perDay);
}

/** Without a copy where it lies within the series; what lies outside is missing. */
function sliceOf(values: Float32Array, from: number, length: number): Float32Array {
  if (from >= 0 && from + length <= values.length) return values.subarray(from, from + length);
  const slice = new Float32Array(length).fill(Number.NaN);
  const first = Math.max(from, 0);
  if (first < Math.min(from + length, values.length)) slice.set(values.subarray(first, from + length), first - from);
  return slice;
}

/** Sums over any span in two look-ups. */
interface Running {
  readonly sum: Float64Array;
  readonly count: Uint32Array;
}

function runningSums(values: Float32Array): Running {
  const sum = new Float64Array(values.length + 1);
  const count = new Uint32Array(values.length + 1);
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    const known = Number.isFinite(value);
    sum[slot + 1] = (sum[slot] as number) + (known ? value : 0);
    count[slot + 1] = (count[slot] as number) + (known ? 1 : 0);
  }
  return { sum, count };
}

const span = (running: Float64Array | Uint32Array, from: number, to: number): number =>
  (running[clamp(to, running)] as number) - (running[clamp(from, running)] as number);

const clamp = (index: number, { length }: { readonly length: number }): number =>
  Math.min(Math.max(index, 0), length - 1);

const meanOf = ({ sum, count }: Running, from: number, to: number): number =>
  span(sum, from, to) / span(count, from, to);
