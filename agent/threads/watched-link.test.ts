import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CentreLink } from '../../cloud-sync/timescale/centre-link.js';
import { watchedLink } from './watched-link.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Answers each call when it is told to. */
function slowLink() {
  const answers: (() => void)[] = [];
  const link: CentreLink = {
    call: () => new Promise((resolve) => answers.push(() => resolve([]))),
    close: async () => undefined,
  };
  return { link, answer: () => answers.shift()?.() };
}

test('a centre that does not answer is named long before the query is given up, once for each', async () => {
  const said: string[] = [];
  const { link, answer } = slowLink();
  const asked = watchedLink(link, (detail) => said.push(detail)).call('hello', []);
  await vi.advanceTimersByTimeAsync(14_000);
  expect(said).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual(['no answer in 15 s, and still waiting']);
  answer();
  await expect(asked).resolves.toEqual([]);
});

test('one that answers, or fails, in time is not', async () => {
  const said: string[] = [];
  const { link, answer } = slowLink();
  const asked = watchedLink(link, (detail) => said.push(detail)).call('hello', []);
  await vi.advanceTimersByTimeAsync(5_000);
  answer();
  await asked;
  const failing = { ...link, call: () => Promise.reject(new Error('gone')) };
  await expect(watchedLink(failing, (detail) => said.push(detail)).call('hello', [])).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said).toEqual([]);
});
