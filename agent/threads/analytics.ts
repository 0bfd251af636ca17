import type { LogId } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Logger, LogLevel } from '../domain/log.js';
import type { AnalysisResult, BundleState } from '../domain/results.js';
import type { Judgement } from '../fraud/scoring.js';
import type { StoreOptions } from '../model-store/store.js';
import type { FromAnalytics, ToAnalytics } from './messages.js';
import { createThread, type Thread } from './thread.js';

/** What the analytics thread is started with. */
export interface AnalyticsData {
  readonly bufferPath: string;
  readonly models: Omit<StoreOptions, 'log'>;
  readonly judgement: Judgement;
  readonly logLevel: LogLevel;
  readonly terminal: boolean;
}

interface Handlers {
  onResult(result: AnalysisResult, logId: LogId): void;
  onDamage(cause: string, logId: string): void;
  mend(cause: unknown): boolean;
  onBundle(bundle: BundleState): void;
  onRestart(cause: unknown): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The thread that forecasts and scores. */
export function createAnalytics(
  data: AnalyticsData,
  { onResult, onBundle, onRestart, onDamage, mend }: Handlers,
  surroundings: Surroundings,
): Thread<ToAnalytics> {
  return createThread<ToAnalytics, FromAnalytics>(
    {
      name: 'analytics',
      entry: new URL('./analytics-worker.js', import.meta.url),
      data,
      onRestart,
      mend,
      receiver: {
        onMessage(message) {
          switch (message.kind) {
            case 'result':
              return onResult(message.result, message.logId);
            case 'damage':
              return onDamage(message.cause, message.logId);
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
