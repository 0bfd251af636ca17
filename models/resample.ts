import { epochMs } from '../agent/domain/brand.js';
import type { MeterSeries } from './series.js';

/** Wider slots: the mean of those that are known, where half of them are. Begins on a full wide slot. */
export function resample(series: MeterSeries, fromMinutes: number, toMinutes: number): MeterSeries {
  const factor = toMinutes / fromMinutes;
  if (factor === 1) return series;
  const toMs = toMinutes * 60_000;
  const skipped = Math.ceil(series.startMs / toMs) * toMs - series.startMs;
  const first = skipped / (fromMinutes * 60_000);
  const length = Math.floor((series.powerW.length - first) / factor);
  const means = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: Math.max(length, 0) }, (_, slot) =>
      meanOf(values.subarray(first + slot * factor, first + (slot + 1) * factor)),
    );
  const { temperatureC } = series;
  return {
    ...series,
    startMs: epochMs(series.startMs + skipped),
    powerW: means(series.powerW),
    ...(temperatureC === undefined ? {} : { temperatureC: means(temperatureC) }),
  };
}

function meanOf(values: Float32Array): number {
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length * 2 < values.length) return Number.NaN;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
