import type { Random } from '../domain/clock.js';
import type { ClockChange, GatewayClock, Told } from '../domain/gateway-clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';
import { describeTrust, EVIDENCE, type Evidence } from '../domain/trust.js';
import type { TimeEvidence } from './time-evidence.js';

interface Surroundings {
  readonly clock: GatewayClock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

interface Witnesses {
  readonly evidence: () => Promise<TimeEvidence>;
  readonly meters: () => Told | undefined;
  /** How many readings wait for the time. */
  readonly held: () => number;
  /** Makes the change known to whoever stores times; the clock moves when it returns. */
  turn(change: ClockChange): void;
  /** The time moved, or what it rests on. */
  changed(change: ClockChange): void;
  looked(): void;
}

export interface ClockWatch extends Part {
  /** Somebody has told the time: look soon. */
  wake(): void;
  now(): Promise<void>;
}

const EVERY_MS = 1_000;
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };

/** Looks around every second for what the time can rest on, and moves the gateway's clock when that changes. */
export function createClockWatch(witnesses: Witnesses, { clock, random, log, metrics }: Surroundings): ClockWatch {
  let loop: Loop | undefined;
  let steps = 0;

  async function look(): Promise<void> {
    const evidence = await witnesses.evidence();
    const change = clock.look({ ...evidence, meters: witnesses.meters() });
    if (change !== undefined) apply(change);
    report();
    witnesses.looked();
  }

  function apply(change: ClockChange): void {
    // What cannot be written has not happened: the next look finds the same.
    witnesses.turn(change);
    clock.apply(change);
    witnesses.changed(change);
    const { trust, byMs } = change;
    const fields = { movedByMs: Math.round(byMs), held: witnesses.held() };
    if (trust.state === 'trusted') log.info({ ...fields, by: trust.by }, `the time is known: ${describeTrust(trust)}`);
    else log.warn({ ...fields, code: 'clock.untrusted', why: trust.why }, `readings wait: ${describeTrust(trust)}`);
  }

  function report(): void {
    const { trust, machineAheadMs } = clock;
    for (const by of Object.keys(EVIDENCE) as Evidence[])
      metrics.set('clock_info', trust.state === 'trusted' && trust.by === by ? 1 : 0, { by });
    metrics.set('clock_machine_ahead_seconds', machineAheadMs / 1_000);
    metrics.set('clock_held_readings', witnesses.held());
    if (clock.steps === steps) return;
    metrics.inc('clock_steps_total', clock.steps - steps);
    steps = clock.steps;
    log.warn({ machineAheadMs: Math.round(machineAheadMs) }, 'somebody set the clock of this machine');
  }

  return {
    name: 'clock',
    wake: () => loop?.wake(),
    now: look,
    async start() {
      // Before anything is taken in: what is known at once.
      await look();
      loop = supervise(
        {
          name: 'clock',
          backoff: BACKOFF,
          onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'clock' }),
          async turn() {
            await look();
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
