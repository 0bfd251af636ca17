import { type EpochMs, epochMs, type MeterId } from '../domain/brand.js';
import type { Forecast } from '../domain/forecast.js';
import { slotStart } from '../domain/slot.js';
import { SCALE } from '../domain/stored.js';
import { anomalyRow, slotRow } from './rows.js';
import type { ReadSource } from './source.js';
import type { ForecastSpan, Load, Sparklines } from './wire.js';

const HOUR_MS = 3_600_000;

// One anomaly per slot at most, and no more than a chart can show.
const MAX_ANOMALIES = 300;

interface Span {
  readonly nowMs: EpochMs;
  readonly hours: number;
}

/** One meter's slots up to now, and what is expected next. */
export function readLoad(source: ReadSource, meter: MeterId, { nowMs, hours }: Span): Omit<Load, 'meter'> {
  const { slotMs } = source;
  const fromMs = epochMs(slotStart(nowMs, slotMs) + slotMs - hours * HOUR_MS);
  const forecast = source.latestForecast(meter);
  return {
    fromMs,
    toMs: nowMs,
    slotMs,
    slots: source.slotsOf(meter, fromMs, nowMs).map(slotRow),
    forecast:
      forecast === undefined
        ? null
        : { issuedMs: forecast.issuedSlotMs, modelVersion: forecast.modelVersion, spans: spansOf(forecast, slotMs) },
    anomalies: source
      .anomalies({ meter, limit: MAX_ANOMALIES })
      .filter((anomaly) => anomaly.slotStartMs >= fromMs)
      .map(anomalyRow),
  };
}

function spansOf({ issuedSlotMs, steps }: Forecast, slotMs: number): ForecastSpan[] {
  return steps.map(({ offsetSlots, slots, lowW, medianW, highW }) => {
    const fromMs = issuedSlotMs + offsetSlots * slotMs;
    return { fromMs, toMs: fromMs + slots * slotMs, lowW, medianW, highW };
  });
}

// A sparkline is some 90 pixels wide.
const LEAST_STEP_MS = 15 * 60_000;

/** Coarse load of several meters, for small pictures. */
export function readSparklines(source: ReadSource, ids: readonly MeterId[], { nowMs, hours }: Span): Sparklines {
  const stepMs = Math.max(LEAST_STEP_MS, source.slotMs);
  const steps = (hours * HOUR_MS) / stepMs;
  const fromMs = epochMs((Math.floor(nowMs / stepMs) + 1 - steps) * stepMs);
  const series = Object.fromEntries(ids.map((id) => [id, sparkline(source, id, { fromMs, nowMs, steps, stepMs })]));
  return { fromMs, stepMs, series };
}

function sparkline(
  source: ReadSource,
  meter: MeterId,
  { fromMs, nowMs, steps, stepMs }: Record<'fromMs' | 'nowMs', EpochMs> & Record<'steps' | 'stepMs', number>,
): (number | null)[] {
  const sums = new Float64Array(steps);
  const counts = new Uint16Array(steps);
  for (const slot of source.slotsOf(meter, fromMs, nowMs)) {
    const step = Math.floor((slot.slotStartMs - fromMs) / stepMs);
    sums[step] = (sums[step] ?? 0) + (SCALE.powerDw.unpack(slot.meanPowerDw) ?? 0);
    counts[step] = (counts[step] ?? 0) + 1;
  }
  return Array.from(sums, (sum, step) => {
    const n = counts[step] ?? 0;
    return n === 0 ? null : Math.round(sum / n);
  });
}
