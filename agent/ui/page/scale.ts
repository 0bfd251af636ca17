export interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
  valueAt(position: number): number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function linear(values: Range, positions: Range, ticks: readonly number[]): Scale {
  const perValue = (positions.to - positions.from) / (values.to - values.from);
  return {
    ticks,
    at: (value) => positions.from + (value - values.from) * perValue,
    valueAt: (position) => values.from + (position - positions.from) / perValue,
  };
}

/** Covers all values and zero, with about `count` round ticks. */
export function valueScale(values: Range, positions: Range, count: number): Scale {
  const low = Math.min(0, values.from);
  // Labels are whole watts: nothing measured is no reason to write each of them several times.
  const high = Math.max(values.to, low + count);
  const step = roundStep((high - low) / count);
  // Below zero only as far as needed: a band that dips a little must not cost a fifth of the picture.
  const first = Math.ceil(low / step);
  const last = Math.ceil(high / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return linear({ from: low, to: last * step }, positions, ticks);
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

const HOURS = [1, 2, 3, 6, 12, 24, 48];
const HOUR_MS = 3_600_000;

/** Ticks on whole hours of the local clock, far enough apart for their labels. */
export function timeScale(times: Range, positions: Range, leastGap: number): Scale {
  const perHour = ((positions.to - positions.from) / (times.to - times.from)) * HOUR_MS;
  const hours = HOURS.find((step) => step * perHour >= leastGap) ?? 48;
  const ticks: number[] = [];
  const at = new Date(times.from);
  at.setMinutes(0, 0, 0);
  // Hour by hour on the local clock: on the days when it changes, every sixth hour is not six hours later.
  for (; at.getTime() <= times.to; at.setTime(at.getTime() + HOUR_MS)) {
    if (at.getTime() >= times.from && at.getHours() % Math.min(hours, 24) === 0) ticks.push(at.getTime());
  }
  return linear(times, positions, ticks);
}
