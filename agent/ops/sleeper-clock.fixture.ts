import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { epochMs } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';

/** For tests: time passes only as far as a test lets it, and only while everybody sleeps. */
export interface SleeperClock extends Clock {
  pass(ms: number): Promise<void>;
}

interface Sleeper {
  readonly untilMs: number;
  wake(): void;
}

/** Between two sleeps a loop waits for promises alone, and for at most so many turns of the event loop. */
const TURNS_AWAKE = 3;

export function createSleeperClock(startMs: number): SleeperClock {
  let nowMs = startMs;
  let sleepers: readonly Sleeper[] = [];

  async function allAsleep(): Promise<void> {
    for (let turn = 0; turn < TURNS_AWAKE; turn += 1) await turnOfTheLoop();
  }

  return {
    now: () => epochMs(nowMs),
    monotonicMs: () => nowMs - startMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const sleeper = {
          untilMs: nowMs + ms,
          wake() {
            sleepers = sleepers.filter((one) => one !== sleeper);
            resolve();
          },
        };
        sleepers = [...sleepers, sleeper];
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async pass(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        await allAsleep();
        const next = [...sleepers].sort((a, b) => a.untilMs - b.untilMs)[0];
        if (next === undefined || next.untilMs > endMs) break;
        nowMs = Math.max(nowMs, next.untilMs);
        next.wake();
      }
      nowMs = endMs;
    },
  };
}
