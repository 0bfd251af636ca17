import type { Clock, Random } from '../domain/clock.js';
import type { Logger, LogLevel } from '../domain/log.js';
import type { AnalysisResult, BundleState } from '../domain/results.js';
import type { StoreOptions } from '../model-store/store.js';
import type { FromAnalytics, ToAnalytics } from './messages.js';
import { createThread, type Thread } from './thread.js';

/** What the analytics thread is started with. */
export interface AnalyticsData {
  readonly bufferPath: string;
  readonly models: Omit<StoreOptions, 'log'>;
  readonly threshold: number;
  readonly logLevel: LogLevel;
  readonly terminal: boolean;
}

interface Handlers {
  onResult(result: AnalysisResult): void;
  onBundle(bundle: BundleState): void;
  onRestart(): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The thread that forecasts and scores. */
export function createAnalytics(
  data: AnalyticsData,
  { onResult, onBundle, onRestart }: Handlers,
  surroundings: Surroundings,
): Thread<ToAnalytics> {
  return createThread<ToAnalytics, FromAnalytics>(
    {
      name: 'analytics',
      entry: new URL('./analytics-worker.js', import.meta.url),
      data,
      onRestart,
      receiver: {
        onMessage(message) {
          switch (message.kind) {
            case 'result':
              return onResult(message.result);
            case 'bundle':
              return onBundle(message.bundle);
          }
        },
        onAsk: () => Promise.reject(new Error('analytics asks nothing')),
      },
    },
    surroundings,
  );
}
