import { type EpochMs, epochMs, type MeterId } from '../domain/brand.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type SilenceRules, silentSince } from '../domain/silence.js';
import { type Loop, supervise } from '../domain/supervise.js';

/** Whom to expect, and when each was last heard; the buffer fits it. */
interface Fleet {
  registeredMeters(): ReadonlyMap<MeterId, unknown>;
  heard(meter: MeterId): { readonly atMs: number | undefined; readonly intervalMs: number | undefined };
}

export interface SilentMeter {
  readonly meter: MeterId;
  /** ISO 8601, UTC. */
  readonly since: string;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const EVERY_MS = 5_000;
const BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
/** A feeder that went dark is one message of 70 kB, and not one of 20,000 names. */
export const MAX_NAMED = 1_000;
const MAX_LOGGED = 10;

/** Tells who has fallen silent, each time that the set changes and once at the start. */
export function createSilenceWatch(
  fleet: Fleet,
  { rules, onChange }: { readonly rules: SilenceRules; onChange(silent: readonly SilentMeter[]): void },
  { clock, random, log, metrics }: Surroundings,
): Part {
  let loop: Loop | undefined;
  let before: ReadonlySet<MeterId> | undefined;

  function look(startedMs: EpochMs): void {
    const nowMs = clock.now();
    const silent = new Map<MeterId, number>();
    for (const meter of fleet.registeredMeters().keys()) {
      const { atMs, intervalMs } = fleet.heard(meter);
      const heard = { meter, lastMs: atMs, gatewayStartedMs: startedMs, learnedIntervalMs: intervalMs };
      const sinceMs = silentSince(heard, nowMs, rules);
      if (sinceMs !== undefined) silent.set(meter, sinceMs);
    }
    metrics.set('meters_silent', silent.size);
    const known = before;
    const fallen = [...silent.keys()].filter((meter) => known?.has(meter) !== true);
    if (known !== undefined && fallen.length === 0 && known.size === silent.size) return;
    const named = [...silent].slice(0, MAX_NAMED);
    onChange(named.map(([meter, sinceMs]) => ({ meter, since: new Date(sinceMs).toISOString() })));
    before = new Set(silent.keys());
    if (fallen.length > 0)
      log.warn({ meters: fallen.slice(0, MAX_LOGGED), count: fallen.length }, 'meters fell silent');
  }

  return {
    name: 'silence',
    async start() {
      const startedCountMs = clock.monotonicMs();
      loop = supervise(
        {
          name: 'silence',
          backoff: BACKOFF,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'silence' }),
          async turn() {
            // The time may move; how long it is ago does not.
            look(epochMs(clock.now() - (clock.monotonicMs() - startedCountMs)));
            return EVERY_MS;
          },
        },
        { clock, random, log },
      );
    },
    async stop() {
      await loop?.stop();
    },
  };
}
