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
    readonly slots: number;
    readonly anomalies: number;
    readonly more: boolean;
  };
  room(): { readonly reusableBytes: number };
  vacuum(): number;
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between two steps of pruning the thread takes readings in. */
const PAUSE_MS = 50;
/** 256 MiB; what a busy gateway fills in a day or less. */
const KEEP_IN_FILE_BYTES = 268_435_456;

/** What is done once a day: the buffer lets go of what is too old, in bounded steps. */
export function createMaintenance(expression: string, buffer: Prunable, { clock, log }: Surroundings): Part {
  const ending = new AbortController();
  let task: ScheduledTask | undefined;
  let running: Promise<void> = Promise.resolve();

  async function maintain(): Promise<void> {
    const dropped = { readings: 0, rejected: 0, slots: 0, forecasts: 0, anomalies: 0 };
    for (let more = true; more && !ending.signal.aborted; ) {
      const step = buffer.prune(clock.now());
      dropped.readings += step.readings;
      dropped.rejected += step.rejected;
      dropped.slots += step.slots;
      dropped.forecasts += step.forecasts;
      dropped.anomalies += step.anomalies;
      more = step.more;
      if (more) await clock.sleep(PAUSE_MS, ending.signal);
    }
    const gaveBack = await giveBack();
    log.info({ ...dropped, gaveBackPages: gaveBack }, 'maintenance done');
  }

  /** Room that the next days fill again stays in the file: to give it back and take it again would be writing for nothing. */
  async function giveBack(): Promise<number> {
    let pages = 0;
    while (buffer.room().reusableBytes > KEEP_IN_FILE_BYTES && !ending.signal.aborted) {
      const step = buffer.vacuum();
      if (step <= 0) break; // made without a way to give room back
      pages += step;
      await clock.sleep(PAUSE_MS, ending.signal);
    }
    return pages;
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
