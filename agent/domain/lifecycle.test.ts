import { expect, test } from 'vitest';
import { until } from '../../tests/kit/until.js';
import { systemClock } from './clock.js';
import { inOrder, type Part } from './lifecycle.js';
import { silentLogger } from './log.js';

function setUp() {
  const happened: string[] = [];
  const part = (name: string, more: Partial<Part> = {}): Part => ({
    name,
    start: async () => void happened.push(`start ${name}`),
    stop: async () => void happened.push(`stop ${name}`),
    ...more,
  });
  const run = (...parts: Part[]) => inOrder(parts, { clock: systemClock, log: silentLogger, stopDeadlineMs: 50 });
  return { happened, part, run };
}

test('starts in order and stops in reverse, once', async () => {
  const { happened, part, run } = setUp();
  const all = run(part('a'), part('b'), part('c'));
  expect(await all.start()).toBe('started');
  const reports = await Promise.all([all.stop(), all.stop()]);
  expect(happened).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  expect(reports[0]).toEqual({ stragglers: [], failures: [] });
});

test('when one fails to start, it and those before it are stopped, and the failure is told', async () => {
  const { happened, part, run } = setUp();
  const broken = part('b', { start: () => Promise.reject(new Error('no port')) });
  await expect(run(part('a'), broken, part('c')).start()).rejects.toThrow('no port');
  expect(happened).toEqual(['start a', 'stop b', 'stop a']);
});

test('what starts alongside keeps nobody waiting but the whole, and is stopped in its turn', async () => {
  const { happened, part, run } = setUp();
  let ready = (): void => undefined;
  const slow = part('slow', { alongside: true, start: () => new Promise((resolve) => (ready = resolve)) });
  const all = run(part('a'), slow, part('b'));
  const started = all.start().then((outcome) => happened.push(outcome));
  await until('the others have started', () => happened.includes('start b'));
  expect(happened).toEqual(['start a', 'start b']);
  ready();
  await started;
  await all.stop();
  expect(happened).toEqual(['start a', 'start b', 'started', 'stop b', 'stop slow', 'stop a']);
});

test('when what starts alongside fails, the rest is stopped and the failure is told', async () => {
  const { happened, part, run } = setUp();
  const broken = part('broken', { alongside: true, start: () => Promise.reject(new Error('no model')) });
  await expect(run(part('a'), broken, part('b')).start()).rejects.toThrow('no model');
  expect(happened.slice(-2)).toEqual(['stop broken', 'stop a']);
});

test('a straggler is named and left behind, a failure is named, and the rest still stops', async () => {
  const { happened, part, run } = setUp();
  const all = run(
    part('buffer'),
    part('stuck', { stop: () => new Promise(() => undefined) }),
    part('broken', { stop: () => Promise.reject(new Error('hm')) }),
  );
  await all.start();
  expect(await all.stop()).toEqual({ stragglers: ['stuck'], failures: [{ part: 'broken', message: 'hm' }] });
  expect(happened.at(-1)).toBe('stop buffer');
});

test('the second signal ends the waiting of a part, and the buffer is still flushed', async () => {
  const { happened, part } = setUp();
  const patient = part('patient', {
    stop: (hurry) => new Promise((resolve) => hurry.addEventListener('abort', () => resolve(), { once: true })),
  });
  const all = inOrder([part('buffer'), patient], { clock: systemClock, log: silentLogger, stopDeadlineMs: 60_000 });
  await all.start();
  const stopped = all.stop();
  all.hurry();
  expect(await stopped).toEqual({ stragglers: [], failures: [] });
  expect(happened).toContain('stop buffer');
});

test('stop while a part is starting: it is stopped once it has started, and what comes after it never starts', async () => {
  const { happened, part, run } = setUp();
  let ready = (): void => undefined;
  const slow = part('slow', {
    start: async () => {
      await new Promise<void>((resolve) => (ready = resolve));
      happened.push('started slow');
    },
  });
  const all = run(part('a'), slow, part('c'));
  const started = all.start();
  await Promise.resolve();
  const stopped = all.stop();
  ready();
  expect(await started).toBe('stopped');
  await stopped;
  expect(happened).toEqual(['start a', 'started slow', 'stop slow', 'stop a']);
});

test('a start that does not end is stopped all the same: after the deadline, or at once in a hurry', async () => {
  for (const stopDeadlineMs of [20, 60_000]) {
    const { happened, part } = setUp();
    const stuck = part('stuck', { start: () => new Promise(() => undefined) });
    const all = inOrder([part('a'), stuck], { clock: systemClock, log: silentLogger, stopDeadlineMs });
    void all.start();
    await Promise.resolve();
    const stopped = all.stop();
    if (stopDeadlineMs > 1_000) all.hurry();
    await stopped;
    expect(happened).toEqual(['start a', 'stop stuck', 'stop a']);
  }
});
