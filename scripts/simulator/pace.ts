import type { Clock } from '../../agent/domain/clock.js';

/** Says when a simulated moment has come. */
export interface Pace {
  until(dueMs: number, signal: AbortSignal): Promise<void>;
  /** The simulated moment that it is now. */
  now(): number;
}

export interface PaceOptions {
  readonly clock: Clock;
  /** The simulated moment at which it begins. */
  readonly startMs: number;
  /** Simulated seconds in a second; infinite: nobody waits. */
  readonly speed: number;
}

/** Waits no longer than this at once, so that a clock that was set does not leave it asleep. */
const LONGEST_MS = 60_000;

export function createPace({ clock, startMs, speed }: PaceOptions): Pace {
  const beganMs = clock.monotonicMs();
  let reachedMs = startMs;
  const now = (): number => (Number.isFinite(speed) ? startMs + (clock.monotonicMs() - beganMs) * speed : reachedMs);
  return {
    now,
    async until(dueMs, signal) {
      reachedMs = Math.max(reachedMs, dueMs);
      if (!Number.isFinite(speed)) return;
      for (let leftMs = dueMs - now(); leftMs > 0 && !signal.aborted; leftMs = dueMs - now()) {
        await clock.sleep(Math.min(leftMs / speed, LONGEST_MS), signal);
      }
    },
  };
}
