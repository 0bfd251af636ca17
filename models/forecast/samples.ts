import { epochMs } from '../../agent/domain/brand.js';
import type { Random } from '../../agent/domain/clock.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { centreAndScale } from '../window/window-scale.js';
import type { Encoded } from './features.js';
import type { History } from './history.js';
import { reachOf, slotsPerDay } from './horizons.js';
import { createSeriesHistory, type ForecastShape, type SeriesHistory } from './series-history.js';

/** A window that is mostly filled in teaches what the filling looks like. */
const LEAST_PRESENT = WINDOW_SLOTS / 2;
/** Of so many training windows one loses its older part, as the windows of a new meter do. */
const SHORTENED_OF = 16;
/** One of so many does not know the week before its window, one the profile, one the weather. */
const FORGETS_OF = 10;
/** A forecast of the temperature is wrong by about so much. */
const WEATHER_ERROR_C = 1.5;
/** Weeks apart, so that every season stands on both sides; the days in front of one keep their targets out of it. */
const VALIDATION_EVERY_WEEKS = 8;
const VALIDATION_WEEK = 5;
const WEEK_DAYS = 7;
/** Below this there is no week to spare, and the last part is taken; below that, nothing can be spared. */
const FEWEST_WEEKS = 9;
const FEWEST_WEEKS_FOR_A_PART = 3;
const VALIDATION_SHARE = 0.125;
/** A window of a dead line against a meter's usual scale must not count for hundreds. */
const LARGEST_WEIGHT = 20;

/** Targets of a batch, [rows, steps] each: normalised by their window, and how much each counts (0 = not known). */
export interface Targets {
  readonly values: Float32Array;
  readonly weights: Float32Array;
}

/** What can be learnt from one meter. */
export interface SampleSource {
  readonly history: SeriesHistory;
  /** Slots at which a window ends whose past and next slot are known. */
  readonly origins: Uint32Array;
  /** The same, kept out of training: for early stopping and for calibration. */
  readonly validation: Uint32Array;
  /** Mean absolute difference to the day before, W: what an error of this meter is measured by. */
  readonly seasonalW: number;
}

export interface Sample {
  readonly source: SampleSource;
  readonly origin: number;
}

export function createSource(series: MeterSeries, shape: ForecastShape): SampleSource {
  const history = createSeriesHistory(withoutSpans(series, shape), shape);
  const { powerW } = history.series;
  const perDay = slotsPerDay(shape.slotMinutes);
  const reach = reachOf(shape.horizons);
  const isValidation = validationSlots(powerW.length, perDay);
  const origins: number[] = [];
  const validation: number[] = [];
  for (let origin = WINDOW_SLOTS; origin < powerW.length; origin++) {
    if (history.known(origin - WINDOW_SLOTS, origin) < LEAST_PRESENT) continue;
    if (history.known(origin - 1, origin + 1) < 2) continue;
    const last = Math.min(origin + reach, powerW.length) - 1;
    if (isValidation(origin) && isValidation(last)) validation.push(origin);
    else if (!isValidation(origin) && !isValidation(last)) origins.push(origin);
  }
  return {
    history,
    origins: Uint32Array.from(origins),
    validation: Uint32Array.from(validation),
    seasonalW: seasonalDifference(powerW, perDay),
  };
}

function withoutSpans(series: MeterSeries, { slotMinutes }: ForecastShape): MeterSeries {
  if (series.excludedMs === undefined || series.excludedMs.length === 0) return series;
  const powerW = series.powerW.slice();
  const slotOf = (ms: number) => Math.max(Math.floor((ms - series.startMs) / (slotMinutes * 60_000)), 0);
  for (const [fromMs, toMs] of series.excludedMs) powerW.fill(Number.NaN, slotOf(fromMs), slotOf(toMs));
  return { ...series, powerW };
}

function validationSlots(length: number, perDay: number): (slot: number) => boolean {
  const week = WEEK_DAYS * perDay;
  if (length < FEWEST_WEEKS * week) {
    const from = length - Math.round((length - WINDOW_SLOTS) * VALIDATION_SHARE);
    if (length < FEWEST_WEEKS_FOR_A_PART * week) return () => false;
    return (slot) => slot >= from;
  }
  return (slot) => Math.floor(slot / week) % VALIDATION_EVERY_WEEKS === VALIDATION_WEEK;
}

export function seasonalDifference(powerW: Float32Array, perDay: number): number {
  let sum = 0;
  let count = 0;
  for (let slot = perDay; slot < powerW.length; slot++) {
    const difference = Math.abs((powerW[slot] as number) - (powerW[slot - perDay] as number));
    if (Number.isNaN(difference)) continue;
    sum += difference;
    count += 1;
  }
  const floor = centreAndScale(new Float32Array(0)).scale;
  return count === 0 ? floor : Math.max(sum / count, floor);
}

/** A history as training sees it: sometimes as short as a new meter's, or with something that it does not know. */
export function trainingHistory({ source, origin }: Sample, random: Random): History {
  const { past, profileMedian, profileSpread, weather, window, place } = source.history.at(origin);
  const keeps = () => random() * FORGETS_OF >= 1;
  const shortened = random() * SHORTENED_OF < 1;
  const history: History = {
    window: shortened ? shorten(window, random) : window,
    place,
    ...(keeps() && !shortened ? { past } : {}),
    ...(keeps() && !shortened ? { profileMedian, profileSpread } : {}),
  };
  if (weather === undefined || !keeps()) return history;
  const noise = () => (random() + random() - 1) * 2 * WEATHER_ERROR_C;
  return { ...history, weather: { lastDayC: weather.lastDayC, nextDayC: weather.nextDayC + noise() } };
}

function shorten(window: SlotWindow, random: Random): SlotWindow {
  const values = window.values.slice();
  values.fill(Number.NaN, 0, Math.floor(random() * (WINDOW_SLOTS - 1)));
  return { ...window, values };
}

export function targetsOf(samples: readonly Sample[], encoded: Encoded): Targets {
  const steps = samples[0]?.source.history.shape.horizons.length ?? 0;
  const values = new Float32Array(samples.length * steps);
  const weights = new Float32Array(samples.length * steps);
  const actuals = new Float64Array(steps);
  for (const [row, { source, origin }] of samples.entries()) {
    const scale = encoded.scaleW[row] as number;
    const weight = Math.min(scale / source.seasonalW, LARGEST_WEIGHT);
    source.history.actualsAt(origin, actuals);
    for (let step = 0; step < steps; step++) {
      const actual = actuals[step] as number;
      if (Number.isNaN(actual)) continue;
      values[row * steps + step] = (actual - (encoded.centreW[row] as number)) / scale;
      weights[row * steps + step] = weight;
    }
  }
  return { values, weights };
}

/** Every meter is drawn equally often, however long its series. */
export function drawSamples(sources: readonly SampleSource[], count: number, random: Random): Sample[] {
  return Array.from({ length: count }, () => {
    const source = sources[Math.floor(random() * sources.length)] as SampleSource;
    return { source, origin: source.origins[Math.floor(random() * source.origins.length)] as number };
  });
}

export interface WindowPlace {
  readonly series: MeterSeries;
  /** The first slot after the window. */
  readonly origin: number;
  readonly slotMinutes?: number;
}

/** The window alone, for who needs nothing of the weeks before it. */
export function windowAt({ series, origin, slotMinutes = SLOT_MINUTES }: WindowPlace): SlotWindow {
  const values = series.powerW.subarray(origin - WINDOW_SLOTS, origin);
  return { endMs: epochMs(series.startMs + origin * slotMinutes * 60_000), values };
}
