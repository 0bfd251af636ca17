import { setTimeout as delay } from 'node:timers/promises';
import { type EpochMs, epochMs } from './brand.js';
import { createMachineTime } from './machine-time.js';

/** The only source of time for everything that decides by it; tests bring their own. */
export interface Clock {
  now(): EpochMs;
  /** Never steps; its zero is arbitrary. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const machine = createMachineTime();

export const systemClock: Clock = {
  now: () => epochMs(machine.wallMs()),
  monotonicMs: () => machine.sinceBootMs(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};

/** Uniform in [0, 1). */
export type Random = () => number;

/** Mulberry32: small, fast and good enough for simulation, jitter and forests; never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
