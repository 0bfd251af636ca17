import { createSlotWindows } from '../../models/window/slot-windows.js';
import type { BufferReader } from '../buffer/reader.js';
import type { Clock, Random } from '../domain/clock.js';
import { invariant } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { parseTimeZone } from '../domain/time-zone.js';
import { createForecasting } from '../forecast/forecasting.js';
import { type JudgementSettings, scoreNewestSlot } from '../fraud/scoring.js';
import type { ModelStore } from '../model-store/store.js';
import { type Analysis, startAnalysis } from './analysis-loop.js';
import { fillWindows } from './fill-windows.js';
import type { FoundBundle, FoundResult } from './messages.js';
import { createProfiles } from './profiles.js';

interface Shared {
  readonly reader: BufferReader;
  readonly models: ModelStore;
  readonly post: (message: FoundResult | FoundBundle) => void;
  readonly tellDamage: (cause: string, logId: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Slots come out of the buffer; forecasts, scores and anomalies go back to the writer. */
export function startAnalytics(
  { bufferPath }: { readonly bufferPath: string },
  { timeZone, ...judgement }: JudgementSettings,
  shared: Shared,
): Analysis {
  const { reader, metrics, clock } = shared;
  const windows = createSlotWindows(reader.slotMs);
  const zone = parseTimeZone(timeZone);
  invariant(zone !== undefined, 'the settings have checked the time zone');
  return startAnalysis({
    ...shared,
    windows,
    fill: (signal) => fillWindows(bufferPath, { windows, tellDamage: shared.tellDamage, clock, signal }),
    profiles: createProfiles({ reader, windows, clock }),
    forecasting: createForecasting(windows, {
      bandsOf: reader.missRatesOf,
      onActuals({ inside, outside }) {
        metrics.inc('forecast_actuals_total', inside, { band: 'inside' });
        metrics.inc('forecast_actuals_total', outside, { band: 'outside' });
      },
    }),
    score: (slot, model) => scoreNewestSlot(slot, model, { ...judgement, zone }),
  });
}
