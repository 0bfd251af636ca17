import type { Homes } from './series-file.js';

/** What one home is like, in figures that do not depend on when exactly it does what. */
export interface Measures {
  readonly kwhPerDay: number;
  readonly zeroShare: number;
  /** Mean over days of the day's mean over its highest step. */
  readonly loadFactor: number;
  /** Standard deviation over mean. */
  readonly variation: number;
  readonly nextStep: number;
  readonly nextDay: number;
  readonly nextWeek: number;
  /** Mean of Saturdays and Sundays over that of the other days. */
  readonly weekend: number;
  /** Mean of December to February over that of June to August; NaN where one is not there. */
  readonly winter: number;
}

export const MEASURES: Readonly<Record<keyof Measures, string>> = {
  kwhPerDay: 'kWh a day',
  zeroShare: 'share of zeros',
  loadFactor: 'load factor of a day',
  variation: 'deviation over mean',
  nextStep: 'autocorrelation, next step',
  nextDay: 'autocorrelation, a day',
  nextWeek: 'autocorrelation, a week',
  weekend: 'weekend over weekday',
  winter: 'winter over summer',
};

/** A meter with fewer values, or one that hardly ever shows any use, is no home to compare with. */
const LEAST_KNOWN = 0.8;
const LEAST_WATTS = 5;

export const usable = (watts: Float32Array): boolean =>
  watts.filter((value) => !Number.isNaN(value)).length >= LEAST_KNOWN * watts.length && mean(watts) >= LEAST_WATTS;

export function measure(
  watts: Float32Array,
  { stepMinutes, firstDay }: Pick<Homes, 'stepMinutes' | 'firstDay'>,
): Measures {
  const perDay = 1_440 / stepMinutes;
  const centre = mean(watts);
  const ofDays = (choose: (day: number) => boolean): number =>
    mean(watts.filter((_, step) => choose(firstDay + Math.floor(step / perDay))));
  const month = (day: number): number => new Date(day * 86_400_000).getUTCMonth();
  return {
    kwhPerDay: (centre * 24) / 1_000,
    zeroShare: watts.filter((value) => value === 0).length / watts.filter((value) => !Number.isNaN(value)).length,
    loadFactor: loadFactor(watts, perDay),
    variation: deviation(watts) / centre,
    nextStep: autocorrelation(watts, 1),
    nextDay: autocorrelation(watts, perDay),
    nextWeek: autocorrelation(watts, 7 * perDay),
    weekend: ofDays((day) => (day + 3) % 7 >= 5) / ofDays((day) => (day + 3) % 7 < 5),
    winter: ofDays((day) => [11, 0, 1].includes(month(day))) / ofDays((day) => [5, 6, 7].includes(month(day))),
  };
}

function loadFactor(watts: Float32Array, perDay: number): number {
  const days: number[] = [];
  for (let from = 0; from + perDay <= watts.length; from += perDay) {
    const day = watts.subarray(from, from + perDay);
    const most = Math.max(...day);
    if (most > 0) days.push(mean(day) / most);
  }
  return days.reduce((sum, value) => sum + value, 0) / days.length;
}

/** Over the pairs of which both are known. */
export function autocorrelation(watts: Float32Array, lag: number): number {
  const centre = mean(watts);
  let sum = 0;
  let pairs = 0;
  for (let step = 0; step + lag < watts.length; step++) {
    const product = ((watts[step] ?? 0) - centre) * ((watts[step + lag] ?? 0) - centre);
    if (Number.isNaN(product)) continue;
    sum += product;
    pairs += 1;
  }
  return sum / pairs / deviation(watts) ** 2;
}

/** Of each step of the day: the mean over the home's own mean, and the deviation of that step over its mean. */
export function overTheDay(
  watts: Float32Array,
  perDay: number,
): { readonly shape: number[]; readonly spread: number[] } {
  const centre = mean(watts);
  const steps = Array.from({ length: perDay }, (_, step) => watts.filter((__, at) => at % perDay === step));
  return {
    shape: steps.map((values) => mean(values) / centre),
    spread: steps.map((values) => deviation(values) / mean(values)),
  };
}

export function mean(values: Float32Array): number {
  let sum = 0;
  let known = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
  }
  return sum / known;
}

function deviation(values: Float32Array): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
}
