import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Clock, seededRandom, systemClock } from './clock.js';
import { type Logger, silentLogger } from './log.js';
import { backoffMs, supervise } from './supervise.js';

/** Sleeps are noted and take no time. */
function setUp() {
  const slept: number[] = [];
  const lines: object[] = [];
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms) => {
      slept.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const log: Logger = { ...silentLogger, warn: (fields) => lines.push(fields) };
  return { slept, lines, surroundings: { clock, random: seededRandom(1), log } };
}

const BACKOFF = { firstMs: 100, maxMs: 1_000 };

test('a failing turn is counted, waited for with growing pauses, and tried again', async () => {
  const { slept, lines, surroundings } = setUp();
  let turns = 0;
  let failed = 0;
  await new Promise<void>((done) => {
    const loop = supervise(
      {
        name: 'test',
        backoff: BACKOFF,
        onFailure: () => (failed += 1),
        async turn() {
          turns += 1;
          if (turns <= 9) throw new Error('no link');
          if (turns === 10) return 7;
          void loop.stop().then(done);
          return 7;
        },
      },
      surroundings,
    );
  });
  expect(failed).toBe(9);
  expect(slept.slice(0, 9).every((ms, index) => ms >= Math.min(1_000, 100 * 2 ** index) / 2 && ms <= 1_000)).toBe(true);
  expect(slept[9]).toBe(7);
  // 1, 2, 4, 8: a link that is down for a day must not fill the log.
  expect(lines).toHaveLength(4);
});

test('wake ends the pause, and a wake during a turn is not lost', async () => {
  const surroundings = { clock: systemClock, random: seededRandom(1), log: silentLogger };
  let turns = 0;
  await new Promise<void>((done) => {
    const loop = supervise(
      {
        name: 'test',
        backoff: BACKOFF,
        async turn() {
          turns += 1;
          if (turns === 1) loop.wake();
          if (turns === 2) setImmediate(() => loop.wake());
          if (turns === 3) void loop.stop().then(done);
          return 3_600_000;
        },
      },
      surroundings,
    );
  });
  expect(turns).toBe(3);
});

test('wake does not end a back-off, which is there to spare what fails; now does', async () => {
  const surroundings = { clock: systemClock, random: seededRandom(1), log: silentLogger };
  let turns = 0;
  const loop = supervise(
    {
      name: 'test',
      backoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
      async turn() {
        turns += 1;
        loop.wake();
        await turnOfTheLoop();
        throw new Error('no link');
      },
    },
    surroundings,
  );
  for (let wakes = 0; wakes < 100; wakes++) {
    loop.wake();
    await turnOfTheLoop();
  }
  expect(turns).toBe(1);
  loop.now();
  await turnOfTheLoop();
  await turnOfTheLoop();
  expect(turns).toBe(2);
  await loop.stop();
});

test('stop waits for the turn under way, and tells it', async () => {
  const surroundings = { clock: systemClock, random: seededRandom(1), log: silentLogger };
  let told = false;
  let began = (): void => undefined;
  const beginning = new Promise<void>((resolve) => (began = resolve));
  const loop = supervise(
    {
      name: 'test',
      backoff: BACKOFF,
      async turn(signal) {
        began();
        await systemClock.sleep(3_600_000, signal);
        told = signal.aborted;
        return 0;
      },
    },
    surroundings,
  );
  await beginning;
  await loop.stop();
  expect(told).toBe(true);
});

test('a loop without pauses leaves room for everything else', async () => {
  const surroundings = { clock: systemClock, random: seededRandom(1), log: silentLogger };
  const loop = supervise({ name: 'test', backoff: BACKOFF, turn: async () => 0 }, surroundings);
  await new Promise((resolve) => setTimeout(resolve, 1));
  await loop.stop();
});

test('a back-off is never longer than its maximum and never shorter than half of its step', () => {
  const random = seededRandom(7);
  for (let failures = 1; failures < 100; failures++) {
    const ms = backoffMs(failures, BACKOFF, random);
    expect(ms).toBeGreaterThanOrEqual(Math.min(1_000, 100 * 2 ** (failures - 1)) / 2);
    expect(ms).toBeLessThanOrEqual(1_000);
  }
});
