import type { MeterSeries } from './series.js';

/** Wider slots: the mean of those that are known, where half of them are. Begins on a full wide slot. */
export function resample(series: MeterSeries, fromMinutes: number, toMinutes: number): MeterSeries {
  const factor = toMinutes / fromMinutes;
  if (factor === 1) return series;
  const toMs = toMinutes * 60_000;
  const skipped = Math.ceil(series.startMs / toMs) * toMs - series.startMs;
  const first = skipped / (fromMinutes * 60_000);
  const length = Math.floor((series.powerW.length - first) / factor);
  const powerW = Float32Array.from({ length: Math.max(length, 0) }, (_, slot) => {
    const part = series.powerW.subarray(first + slot * factor, first + (slot + 1) * factor);
    const known = part.filter((value) => Number.isFinite(value));
    if (known.length * 2 < factor) return Number.NaN;
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
  return { ...series, startMs: (series.startMs + skipped) as MeterSeries['startMs'], powerW };
}
