import type { Clock, Random } from '../domain/clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';

export interface PendingWrites extends Part {
  /** Written soon, and again until it succeeds; a newer write of the same name takes its place. */
  put(name: string, write: () => void): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Each attempt may hold the main thread for as long as SQLite waits for a lock. */
const BACKOFF = { firstMs: 500, maxMs: 15_000 };
/** Puts wake the loop; this is only a bound. */
const IDLE_MS = 60_000;

/**
 * What the other threads want written. A disk that is full for an hour must neither end the gateway nor lose what
 * nobody would send again. Bounded by the names: four streams, the analysis, the few bundles there are.
 */
export function createPendingWrites({ metrics, ...surroundings }: Surroundings): PendingWrites {
  const pending = new Map<string, () => void>();
  let loop: Loop | undefined;

  function writeAll(): void {
    const failures: unknown[] = [];
    for (const [name, write] of [...pending]) {
      try {
        write();
        pending.delete(name);
      } catch (error) {
        failures.push(error); // one that can not be written must not hold up the others
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    name: 'results',
    put(name, write) {
      pending.set(name, write);
      loop?.wake();
    },
    async start() {
      loop = supervise(
        {
          name: 'results',
          backoff: BACKOFF,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'results' }),
          async turn() {
            writeAll();
            return IDLE_MS;
          },
        },
        surroundings,
      );
    },
    /** After the threads have stopped: what they sent last is written, or made again after the next start. */
    async stop() {
      await loop?.stop();
      writeAll();
    },
  };
}
