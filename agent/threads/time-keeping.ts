import { MAX_AHEAD_MS } from '../buffer/future.js';
import type { Random } from '../domain/clock.js';
import type { ClockChange, GatewayClock, Told } from '../domain/gateway-clock.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import type { Reading } from '../domain/reading.js';
import { createClockWatch } from '../ops/clock-watch.js';
import { createMeterVote, type VoteRules } from '../ops/meter-vote.js';
import { type EvidencePlaces, readTimeEvidence } from '../ops/time-evidence.js';
import type { ClockState } from './messages.js';

interface Keepers {
  readonly buffer: { turnClock(change: ClockChange): void; held(): number };
  readonly validator: { timeMoved(byMs: number, nowMs?: number): void };
  readonly places: EvidencePlaces;
  readonly vote: VoteRules;
  /** The time has moved. `isFarBack`: slots that were seen beyond the present are gone from the buffer. */
  onMoved(byMs: number, isFarBack: boolean): void;
  onLooked(): void;
}

interface Surroundings {
  readonly clock: GatewayClock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface TimeKeeping extends Part {
  /** Readings that were stored: while the time is not known, the clocks of their meters are witnesses. */
  stored(readings: readonly Reading[]): void;
  tell(told: Told): void;
  /** A person says that the clock of the machine is right. */
  trust(): Promise<void>;
  state(): ClockState;
}

/** Longer than any outage: a machine without the time knows neither how long it was off nor what a register counted. */
const UNKNOWN_ABSENCE_MS = 4_000 * 86_400_000;

/** Who has to know what the time rests on, and when it moves. */
export function createTimeKeeping(keepers: Keepers, surroundings: Surroundings): TimeKeeping {
  const { clock } = surroundings;
  const { buffer, validator } = keepers;
  const vote = createMeterVote(keepers.vote);
  const isKnown = (): boolean => clock.trust.state === 'trusted';
  let isFirstLook = true;

  const watch = createClockWatch(
    {
      evidence: () => readTimeEvidence(keepers.places),
      meters: vote.result,
      held: buffer.held,
      turn: (change) => buffer.turnClock(change),
      changed({ byMs }) {
        validator.timeMoved(byMs, isKnown() ? clock.now() : undefined);
        if (isKnown()) vote.clear();
        keepers.onMoved(byMs, byMs < -MAX_AHEAD_MS);
      },
      looked() {
        if (isFirstLook && !isKnown()) validator.timeMoved(-UNKNOWN_ABSENCE_MS);
        isFirstLook = false;
        keepers.onLooked();
      },
    },
    surroundings,
  );

  return {
    name: watch.name,
    start: watch.start,
    stop: watch.stop,
    stored(readings) {
      if (isKnown()) return;
      const countMs = clock.monotonicMs();
      for (const { meter, takenAtMs, timeSource } of readings) {
        if (timeSource === 'meter') vote.heard(meter, takenAtMs, countMs);
      }
    },
    tell(told) {
      clock.tell(told);
      watch.wake();
    },
    async trust() {
      clock.vouch();
      await watch.now();
    },
    state: () => ({
      nowMs: clock.now(),
      trust: clock.trust,
      held: buffer.held(),
      machineAheadMs: clock.machineAheadMs,
    }),
  };
}
