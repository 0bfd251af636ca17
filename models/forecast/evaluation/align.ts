import { epochMs } from '../../../agent/domain/brand.js';
import type { MeterSeries } from '../../series.js';
import type { ForecastShape } from '../series-history.js';

/** The same slots for all: from the first one of any meter to the last, missing where a meter has none. */
export function alignSeries(series: readonly MeterSeries[], { slotMinutes }: ForecastShape): readonly MeterSeries[] {
  const slotMs = slotMinutes * 60_000;
  const startMs = Math.min(...series.map((one) => one.startMs));
  const endMs = Math.max(...series.map((one) => one.startMs + one.powerW.length * slotMs));
  const length = Math.round((endMs - startMs) / slotMs);
  return series.map((one) => {
    if (one.startMs === startMs && one.powerW.length === length) return one;
    const shift = Math.round((one.startMs - startMs) / slotMs);
    const moved = (values: Float32Array): Float32Array => {
      const all = new Float32Array(length).fill(Number.NaN);
      all.set(values, shift);
      return all;
    };
    const { temperatureC } = one;
    return {
      ...one,
      startMs: epochMs(startMs),
      powerW: moved(one.powerW),
      ...(temperatureC === undefined ? {} : { temperatureC: moved(temperatureC) }),
    };
  });
}
