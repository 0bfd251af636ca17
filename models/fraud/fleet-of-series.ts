import { epochMs } from '../../agent/domain/brand.js';
import { DAY_MS, SLOT_MS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import type { FleetPower } from './fleet-power.js';

/** The series side by side over the whole UTC days that any of them touches; what one lacks is missing. */
export function fleetOfSeries(series: readonly MeterSeries[], slotMs: number = SLOT_MS): FleetPower {
  const slotsPerDay = DAY_MS / slotMs;
  const firstDay = Math.floor(Math.min(...series.map(({ startMs }) => startMs)) / DAY_MS);
  const lastMs = Math.max(...series.map(({ startMs, powerW }) => startMs + powerW.length * slotMs));
  const days = Math.floor(lastMs / DAY_MS) - firstDay;
  const meters = series.map(({ meter, startMs, powerW }) => {
    const whole = new Float32Array(days * slotsPerDay).fill(Number.NaN);
    const offset = Math.round((startMs - firstDay * DAY_MS) / slotMs);
    whole.set(powerW.subarray(0, whole.length - offset), offset);
    return { meter, powerW: whole };
  });
  return { startMs: epochMs(firstDay * DAY_MS), slotsPerDay, days, meters, feeders: [] };
}
