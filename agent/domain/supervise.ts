import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Clock, Random } from './clock.js';
import { codeOf, messageOf } from './errors.js';
import type { Logger } from './log.js';

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Doubling with full jitter, so that a fleet cut off together does not come back together. */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff, random: Random): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling * (0.5 + random() / 2));
}

export interface Supervised {
  readonly name: string;
  readonly backoff: Backoff;
  /** One turn of the loop; resolves to the pause in milliseconds before the next one. */
  turn(signal: AbortSignal): Promise<number>;
  /** Called for each failure, so that an event and its counter stay together. */
  onFailure?(error: unknown): void;
}

export interface Loop {
  readonly name: string;
  /** There is something to do: ends the pause after a turn that succeeded. A back-off is waited out. */
  wake(): void;
  /** Somebody asks for a turn at once: ends a back-off too. */
  now(): void;
  /** Resolves when the turn under way has ended. */
  stop(): Promise<void>;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Runs a loop for ever: a failing turn is logged, waited for and tried again, and never ends the loop. */
export function supervise(loop: Supervised, { clock, random, log }: Surroundings): Loop {
  const ending = new AbortController();
  let pause = new AbortController();
  let asked: 'nothing' | 'soon' | 'now' = 'nothing';
  let failures = 0;

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      let pauseMs: number;
      asked = 'nothing';
      try {
        pauseMs = await loop.turn(ending.signal);
        if (failures > 0) log.info({ loop: loop.name, failures }, 'recovered');
        failures = 0;
      } catch (error) {
        if (ending.signal.aborted) return;
        failures += 1;
        pauseMs = backoffMs(failures, loop.backoff, random);
        loop.onFailure?.(error);
        // Only the first of a run and every power of two: a link that is down for a day must not fill the log.
        if (Number.isInteger(Math.log2(failures))) {
          log.warn({ loop: loop.name, failures, code: codeOf(error), retryMs: pauseMs }, messageOf(error));
        }
      }
      if (pauseMs <= 0 || hasToGoOn()) {
        await turnOfTheLoop();
        continue;
      }
      if (ending.signal.aborted) return;
      pause = new AbortController();
      await clock.sleep(pauseMs, pause.signal);
    }
  }

  // Events come by the hundred while a link is down; each of them must not be an attempt of its own.
  const hasToGoOn = (): boolean => asked === 'now' || (asked === 'soon' && failures === 0);

  const running = run();
  return {
    name: loop.name,
    wake() {
      if (asked === 'nothing') asked = 'soon';
      if (hasToGoOn()) pause.abort();
    },
    now() {
      asked = 'now';
      pause.abort();
    },
    async stop() {
      ending.abort();
      pause.abort();
      await running;
    },
  };
}
