import { beforeEach, expect, test } from 'vitest';
import { until } from '../../tests/kit/until.js';
import { seededRandom, systemClock } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import { type Logger, silentLogger } from '../domain/log.js';
import { createMetrics } from '../domain/metrics.js';
import { createPendingWrites, type PendingWrites } from './pending-writes.js';

const NEVER_ABORTED = new AbortController().signal;
let lines: object[] = [];
let writes: PendingWrites;
let done: string[] = [];
let isFull = true;

const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 50, signal) };
const write = (what: string) => (): void => {
  if (isFull) throw new WattwardenError('buffer.write_failed', 'database or disk is full');
  done.push(what);
};

beforeEach(async () => {
  [lines, done, isFull] = [[], [], true];
  const log: Logger = { ...silentLogger, warn: (fields) => lines.push(fields) };
  writes = createPendingWrites({ clock, random: seededRandom(1), log, metrics: createMetrics() });
  await writes.start();
});

test('what could not be written is written later, without anything new, and the newest of a name alone', async () => {
  writes.put('settled reading', write('up to 5'));
  writes.put('settled slot', write('up to 3'));
  await until('it was tried and said', () => lines.length > 0);
  writes.put('settled reading', write('up to 9'));
  isFull = false;
  await until('both are written', () => done.length === 2);
  expect(done).toEqual(['up to 9', 'up to 3']);
  expect(lines[0]).toMatchObject({ loop: 'results', code: 'buffer.write_failed' });
  await writes.stop(NEVER_ABORTED);
  expect(done).toHaveLength(2);
});

test('one that fails for ever does not hold up another', async () => {
  isFull = false;
  writes.put('bad', () => {
    throw new Error('never');
  });
  writes.put('good', write('good'));
  await until('the good one is written', () => done.length === 1);
  await expect(writes.stop(NEVER_ABORTED)).rejects.toThrow('never');
});

test('what waits is written at the stop, which says so when it cannot', async () => {
  writes.put('settled reading', write('up to 5'));
  await until('it was tried', () => lines.length > 0);
  await expect(writes.stop(NEVER_ABORTED)).rejects.toMatchObject({ code: 'buffer.write_failed' });
  isFull = false;
  await writes.stop(NEVER_ABORTED);
  expect(done).toEqual(['up to 5']);
});
