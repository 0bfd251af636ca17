import { epochMs } from '../../agent/domain/brand.js';
import { DAY_MS, SLOT_MS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import type { FleetPower } from './fleet-power.js';

/** The series side by side over the whole UTC days that any of them touches; what one lacks is missing, and so are spans that nothing may be learnt from. */
export function fleetOfSeries(series: readonly MeterSeries[], slotMs: number = SLOT_MS): FleetPower {
  const slotsPerDay = DAY_MS / slotMs;
  const firstDay = Math.floor(Math.min(...series.map(({ startMs }) => startMs)) / DAY_MS);
  const lastMs = Math.max(...series.map(({ startMs, powerW }) => startMs + powerW.length * slotMs));
  const days = Math.floor(lastMs / DAY_MS) - firstDay;
  const slotOf = (ms: number, round: (value: number) => number) => round((ms - firstDay * DAY_MS) / slotMs);
  const meters = series.map(({ meter, startMs, powerW, excludedMs = [] }) => {
    const whole = new Float32Array(days * slotsPerDay).fill(Number.NaN);
    const offset = Math.round((startMs - firstDay * DAY_MS) / slotMs);
    whole.set(powerW.subarray(0, whole.length - offset), offset);
    for (const [fromMs, toMs] of excludedMs)
      whole.fill(Number.NaN, Math.max(slotOf(fromMs, Math.floor), 0), Math.max(slotOf(toMs, Math.ceil), 0));
    return { meter, powerW: whole };
  });
  return { startMs: epochMs(firstDay * DAY_MS), slotsPerDay, days, meters, feeders: [] };
}
