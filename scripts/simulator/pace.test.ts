import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import type { Clock } from '../../agent/domain/clock.js';
import { createPace } from './pace.js';

const START_MS = Date.UTC(2026, 2, 2);
const NEVER = new AbortController().signal;

/** Moves by what is slept. */
function sleeper() {
  let passedMs = 0;
  const slept: number[] = [];
  const clock: Clock = {
    now: () => epochMs(START_MS + passedMs),
    monotonicMs: () => 5_000 + passedMs,
    sleep: (ms) => {
      slept.push(ms);
      passedMs += ms;
      return Promise.resolve();
    },
  };
  const pass = (ms: number): void => {
    passedMs += ms;
  };
  return { clock, slept, pass };
}

test.each([1, 168, 0.5])(
  'at speed %f a simulated moment comes when it should, and one that has passed at once',
  async (speed) => {
    const { clock, slept, pass } = sleeper();
    const pace = createPace({ clock, startMs: START_MS, speed });
    await pace.until(START_MS + 30_000, NEVER);
    expect(slept).toEqual([30_000 / speed]);
    expect(pace.now()).toBeCloseTo(START_MS + 30_000, 3);
    pass(1_000);
    expect(pace.now()).toBeCloseTo(START_MS + 30_000 + 1_000 * speed, 3);
    await pace.until(START_MS + 30_000, NEVER);
    expect(slept.length).toBe(1);
  },
);

test('a long wait is made of short ones, and stops when it is told to', async () => {
  const { clock, slept } = sleeper();
  const pace = createPace({ clock, startMs: START_MS, speed: 1 });
  await pace.until(START_MS + 150_000, NEVER);
  expect(slept).toEqual([60_000, 60_000, 30_000]);
  const stopped = new AbortController();
  stopped.abort();
  await pace.until(START_MS + 1e9, stopped.signal);
  expect(slept.length).toBe(3);
});

test('without a limit nobody waits, and it is as late as what was reached', async () => {
  const { clock, slept } = sleeper();
  const pace = createPace({ clock, startMs: START_MS, speed: Number.POSITIVE_INFINITY });
  expect(pace.now()).toBe(START_MS);
  await pace.until(START_MS + 5_000, NEVER);
  await pace.until(START_MS + 1_000, NEVER);
  expect(pace.now()).toBe(START_MS + 5_000);
  expect(slept).toEqual([]);
});
