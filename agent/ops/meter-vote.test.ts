import { expect, test } from 'vitest';
import type { MeterId } from '../domain/brand.js';
import { createMeterVote } from './meter-vote.js';

const BASE = Date.UTC(2027, 0, 1);
const vote = (least = 3) => createMeterVote({ least, notBeforeMs: BASE - 1 });

/** Each meter says the true time, off by so much. */
function say(errorsMs: readonly number[], to = vote()) {
  for (const [index, errorMs] of errorsMs.entries()) to.heard(`m${index}` as MeterId, BASE + errorMs + 1_000, 1_000);
  return to.result();
}

test('enough meters that agree tell the time, a third of wrong ones changes nothing', () => {
  expect(say([0, 2_000, 9_000])?.baseMs).toBe(BASE + 2_000);
  expect(say([0, 1_000, 2_000, 3_000, 9e9, 8e9])?.baseMs).toBe(BASE + 3_000);
});

test('fewer than asked for, or too many that differ, tell nothing', () => {
  expect(say([0, 0])).toBeUndefined();
  expect(say([0, 0, 9e6, 8e6])).toBeUndefined();
  expect(say([0, 3_600_000, 7_200_000])).toBeUndefined();
  expect(say([0, 0, 0, 0], vote(0))).toBeUndefined();
});

test('a meter has one vote however often it sends, and its freshest reading counts', () => {
  const one = vote();
  for (let index = 0; index < 10; index += 1) one.heard('a' as MeterId, BASE + index, index);
  expect(one.result()).toBeUndefined();
  // A backlog that is sent again lies far back.
  one.heard('a' as MeterId, BASE + 500, 9_000);
  one.heard('b' as MeterId, BASE + 9_000, 9_000);
  one.heard('c' as MeterId, BASE + 9_000, 9_000);
  expect(one.result()?.baseMs).toBe(BASE);
});

test('clocks that were never set have no vote', () => {
  expect(say([-9e9, -9e9, -9e9])).toBeUndefined();
});

test('what was said before a doubt does not count in the next one', () => {
  const one = vote();
  expect(say([0, 0, 0], one)).toBeDefined();
  one.clear();
  expect(one.result()).toBeUndefined();
});
