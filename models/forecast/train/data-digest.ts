import { createHash } from 'node:crypto';
import { epochMs } from '../../../agent/domain/brand.js';
import type { MeterSeries } from '../../series.js';
import { NOWHERE, type Place } from '../../window/calendar.js';
import { FEATURE_VERSION } from '../features.js';
import type { ForecastShape } from '../series-history.js';

const HOUR_MS = 3_600_000;

/** SHA-256 of all that windows are made of: two trainings with the same one see the same windows. */
export function dataDigest(
  series: readonly MeterSeries[],
  { slotMinutes, horizons }: ForecastShape,
  place?: Place,
): string {
  const hash = createHash('sha256').update(JSON.stringify({ version: FEATURE_VERSION, slotMinutes, horizons }));
  for (const one of series) {
    const { startMs, draws = 1, excludedMs = [], powerW, temperatureC } = one;
    const weather = temperatureC !== undefined;
    hash.update(JSON.stringify({ startMs, draws, excludedMs, slots: powerW.length, weather }));
    hash.update(placeOf(one, slotMinutes, one.place ?? place));
    hash.update(powerW);
    if (temperatureC !== undefined) hash.update(temperatureC);
  }
  return hash.digest('hex');
}

/** A place is a function of time: its offsets while the series lasts, and whose holidays it keeps. */
function placeOf(
  { startMs, powerW }: MeterSeries,
  slotMinutes: number,
  { utcOffsetMs, country }: Place = NOWHERE,
): string {
  const offsets: number[] = [];
  const lastMs = startMs + powerW.length * slotMinutes * 60_000;
  for (let atMs: number = startMs; atMs <= lastMs; atMs += HOUR_MS) {
    const offset = utcOffsetMs(epochMs(atMs));
    if (offset !== offsets.at(-1)) offsets.push(atMs, offset);
  }
  return JSON.stringify({ offsets, country });
}
