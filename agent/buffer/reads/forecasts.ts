import { epochMs, type MeterId } from '../../domain/brand.js';
import type { Forecast, ForecastStep } from '../../domain/forecast.js';
import { unpackForecast } from '../../domain/forecast-packing.js';
import type { StoredForecast } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { SELECT_FORECASTS } from './columns.js';
import type { MeterKeys } from './meter-keys.js';

/** The hours of the next day come with every twelfth forecast. */
const OUTLOOK_EVERY_SLOTS = 12;

export function openForecastReads(db: Connection, meterKeys: MeterKeys, slotMs: number) {
  const newest = db
    .prepare<[number], number | null>('select newest_forecast_ms from meter_state where meter = ?')
    .pluck();
  const at = db.prepare<[number, number], StoredForecast>(
    `${SELECT_FORECASTS} where f.issued_slot_ms = ? and f.meter = ?`,
  );

  function read(issuedSlotMs: number, meter: number): Forecast | undefined {
    const row = at.get(issuedSlotMs, meter);
    const steps = row === undefined ? undefined : unpackForecast(row.packed);
    if (row === undefined || steps === undefined) return undefined;
    return { meter: row.meter, issuedSlotMs: epochMs(row.issuedSlotMs), modelVersion: row.modelVersion, steps };
  }

  /** Steps of an earlier forecast that lie behind the end of this one. */
  function beyond(forecast: Forecast, meter: number): readonly ForecastStep[] {
    const end = Math.max(0, ...forecast.steps.map((step) => step.offsetSlots + step.slots));
    for (let ago = 1; ago < OUTLOOK_EVERY_SLOTS; ago += 1) {
      const earlier = read(forecast.issuedSlotMs - ago * slotMs, meter);
      if (earlier === undefined || !earlier.steps.some(isOutlook)) continue;
      const shifted = earlier.steps.map((step) => ({ ...step, offsetSlots: step.offsetSlots - ago }));
      return shifted.filter((step) => isOutlook(step) && step.offsetSlots >= end);
    }
    return [];
  }

  return {
    /** The newest forecast, and behind its end the rest of the last outlook over a day. */
    latest(meter: MeterId): Forecast | undefined {
      const key = meterKeys(meter);
      const issuedSlotMs = key === undefined ? null : newest.get(key);
      if (key === undefined || issuedSlotMs === null || issuedSlotMs === undefined) return undefined;
      const forecast = read(issuedSlotMs, key);
      if (forecast === undefined || forecast.steps.some(isOutlook)) return forecast;
      return { ...forecast, steps: [...forecast.steps, ...beyond(forecast, key)] };
    },
  };
}

const isOutlook = (step: ForecastStep): boolean => step.slots > 1;
