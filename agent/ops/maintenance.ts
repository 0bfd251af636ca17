import { type ScheduledTask, schedule } from 'node-cron';
import type { EpochMs } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';

interface Prunable {
  prune(now: EpochMs): {
    readonly readings: number;
    readonly rejected: number;
    readonly forecasts: number;
    readonly more: boolean;
  };
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two steps of pruning the thread takes readings in. */
const PAUSE_MS = 50;

/** What is done once a day: the buffer lets go of what is too old, in bounded steps. */
export function createMaintenance(expression: string, buffer: Prunable, { clock, log }: Surroundings): Part {
  const ending = new AbortController();
  let task: ScheduledTask | undefined;
  let running: Promise<void> = Promise.resolve();

  async function maintain(): Promise<void> {
    const dropped = { readings: 0, rejected: 0, forecasts: 0 };
    for (let more = true; more && !ending.signal.aborted; ) {
      const step = buffer.prune(clock.now());
      dropped.readings += step.readings;
      dropped.rejected += step.rejected;
      dropped.forecasts += step.forecasts;
      more = step.more;
      if (more) await clock.sleep(PAUSE_MS, ending.signal);
    }
    log.info(dropped, 'maintenance done');
  }

  return {
    name: 'maintenance',
    async start() {
      task = schedule(
        expression,
        () => {
          running = maintain().catch((error: unknown) => log.error({ error: String(error) }, 'maintenance failed'));
          return running;
        },
        { noOverlap: true },
      );
    },
    async stop() {
      ending.abort();
      await task?.destroy();
      await running;
    },
  };
}
