import { epochMs } from './brand.js';
import { type Clock, systemClock } from './clock.js';
import { createMachineTime } from './machine-time.js';

export interface FollowingClock extends Clock {
  follow(baseMs: number): void;
}

/** The gateway's time in another thread; the clock of the machine until the first word. */
export function createFollowingClock(): FollowingClock {
  const machine = createMachineTime();
  let baseMs: number | undefined;
  return {
    now: () => epochMs(Math.floor(baseMs === undefined ? machine.wallMs() : machine.sinceBootMs() + baseMs)),
    monotonicMs: () => machine.sinceBootMs(),
    sleep: systemClock.sleep,
    follow(to) {
      machine.noticeSleep();
      baseMs = to;
    },
  };
}
