import { workerData } from 'node:worker_threads';
import { createSlotWindows } from '../../models/window/slot-windows.js';
import { openWatchedReader } from '../buffer/watched-reader.js';
import { systemClock } from '../domain/clock.js';
import { createLogger } from '../domain/log.js';
import { createMetrics, openEventLoopWatch } from '../domain/metrics.js';
import { createForecasting } from '../forecast/forecasting.js';
import { scoreNewestSlot } from '../fraud/scoring.js';
import { createModelStore } from '../model-store/store.js';
import { createAnalysis } from './analysis-loop.js';
import type { AnalyticsData } from './analytics.js';
import type { FromAnalytics, ToAnalytics } from './messages.js';
import { createProfiles } from './profiles.js';
import { serve } from './worker.js';

/** The analytics thread: slots come out of the buffer, forecasts, scores and anomalies go back to the writer. */
await serve<ToAnalytics, FromAnalytics>(async (toMain) => {
  const data = workerData as AnalyticsData;
  const log = createLogger(data.logLevel, data.terminal).child({ thread: 'analytics' });
  const metrics = createMetrics();
  const watch = openEventLoopWatch('analytics', metrics);
  const reader = openWatchedReader(data.bufferPath, (cause, logId) => toMain.post({ kind: 'damage', cause, logId }));
  const windows = createSlotWindows(reader.slotMs);
  reader.eachAnalysed(windows.days, windows.put);

  const analysis = createAnalysis({
    reader,
    windows,
    profiles: createProfiles({ reader, windows, clock: systemClock }),
    forecasting: createForecasting(windows, {
      bandsOf: reader.missRatesOf,
      onActuals({ inside, outside }) {
        metrics.inc('forecast_actuals_total', inside, { band: 'inside' });
        metrics.inc('forecast_actuals_total', outside, { band: 'outside' });
      },
    }),
    score: (slot, model) => scoreNewestSlot(slot, model, data.judgement),
    models: createModelStore({ ...data.models, log }),
    post: (message) => toMain.post(message),
    clock: systemClock,
    random: Math.random,
    log,
    metrics,
  });
  await analysis.start();

  return {
    onMessage(message) {
      switch (message.kind) {
        case 'slots-changed':
          return analysis.wake();
        case 'stored':
          return analysis.stored(message.analysedUpTo);
        case 'bundle-arrived':
          return analysis.bundleArrived();
      }
    },
    onAsk: () => metrics.toJson(),
    async stop() {
      await analysis.stop();
      watch.close();
      reader.close();
    },
  };
});
