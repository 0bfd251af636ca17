import { workerData } from 'node:worker_threads';
import { openWatchedReader } from '../buffer/watched-reader.js';
import { createFollowingClock } from '../domain/following-clock.js';
import { createLogger } from '../domain/log.js';
import { createMetrics, openEventLoopWatch } from '../domain/metrics.js';
import { createModelStore } from '../model-store/store.js';
import { startAnalytics } from './analytics-work.js';
import type { CompanionData } from './companion.js';
import type { FromCompanion, ToCompanion } from './messages.js';
import { startOutward } from './outward-work.js';
import type { Launched } from './thread.js';
import { serve } from './worker.js';

/** The companion of the main thread: forecasts and scores, and all that faces outward. */
await serve<ToCompanion, FromCompanion>(async (toMain) => {
  const data = workerData as CompanionData & Launched;
  const log = createLogger(data.logLevel, data.terminal).child({ thread: 'companion' });
  const clock = createFollowingClock();
  const metrics = createMetrics();
  const watch = openEventLoopWatch('companion', metrics);
  const post = (message: FromCompanion['message']): void => toMain.post(message);
  const tellDamage = (cause: string, logId: string): void => post({ kind: 'damage', cause, logId });
  const reader = openWatchedReader(data.bufferPath, tellDamage);
  const models = createModelStore({ ...data.models, log });
  const shared = { clock, random: Math.random, log, metrics, reader, models, post, tellDamage };

  const analytics = data.judgement === null ? undefined : startAnalytics(data, data.judgement, shared);
  const outward = await startOutward(data, {
    ...shared,
    view: (withinMs) => toMain.ask('view', withinMs),
    onBundleArrived: () => analytics?.bundleArrived(),
  });

  return {
    onMessage(message) {
      switch (message.kind) {
        case 'clock':
          clock.follow(message.baseMs);
          return outward.clockIs(message.isKnown);
        case 'slots-closed':
          analytics?.wake();
          return outward.rowsWaiting();
        case 'result-stored':
          analytics?.stored(message.analysedUpTo);
          return outward.rowsWaiting();
        case 'rows-waiting':
          return outward.rowsWaiting();
        case 'checkpoint':
          return outward.checkpoint(message);
        case 'sync-now':
          return outward.syncNow();
      }
    },
    onAsk: () => Promise.reject(new Error('the companion is asked nothing')),
    async stop() {
      await outward.stop();
      await analytics?.stop();
      watch.close();
      reader.close();
    },
  };
});
