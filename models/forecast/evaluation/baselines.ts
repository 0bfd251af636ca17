import { type Horizon, slotsPerDay } from '../horizons.js';
import type { SeriesHistory } from '../series-history.js';
import type { Baseline, PointForecast } from './baseline.js';
import { fitRidge } from './ridge.js';

export const SEASONAL_DAY = 'seasonal_day';
export const RIDGE = 'ridge';

/** What every table stands beside. */
export const BASELINES: readonly Baseline[] = [
  { name: 'persistence', prepare: persistence },
  { name: SEASONAL_DAY, prepare: (history) => seasonal(history, 1) },
  { name: 'seasonal_week', prepare: (history) => seasonal(history, 7) },
  { name: 'median_28d', prepare: usualMedian },
  { name: RIDGE, prepare: fitRidge },
];

function persistence({ series }: SeriesHistory): PointForecast {
  return (origin, out) => out.fill(series.powerW[origin - 1] ?? Number.NaN);
}

function seasonal(history: SeriesHistory, days: number): PointForecast {
  const back = days * slotsPerDay(history.shape.slotMinutes);
  return (origin, out) => void history.actualsAt(origin - back, out);
}

/** The median of the last 28 days at the same time: what the forecaster itself is given. */
function usualMedian({ at, shape }: SeriesHistory): PointForecast {
  const perDay = slotsPerDay(shape.slotMinutes);
  const slotMs = shape.slotMinutes * 60_000;
  return (origin, out) => {
    const { window, profileMedian } = at(origin);
    const first = (window.endMs / slotMs) % perDay;
    for (const [step, { offset, slots }] of (shape.horizons as readonly Horizon[]).entries()) {
      let sum = 0;
      for (let slot = offset; slot < offset + slots; slot++)
        sum += profileMedian?.[(first + slot) % perDay] ?? Number.NaN;
      out[step] = sum / slots;
    }
  };
}
