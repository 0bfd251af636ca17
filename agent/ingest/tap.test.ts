import { expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import type { GroupCommit, Timing } from './group-commit.js';
import type { Publication } from './publication.js';
import { CLOSE_AFTER_MS, createTap } from './tap.js';

function createScene(maxWaiting = 3) {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const timing: Timing = {
    monotonicMs: () => nowMs,
    nextTurn: () => () => undefined,
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run };
      timers.push(timer);
      return () => (timers = timers.filter((one) => one !== timer));
    },
  };
  const passed: string[] = [];
  const commits: GroupCommit = {
    add({ topic }, answer) {
      passed.push(topic);
      answer();
    },
    flush: () => undefined,
    pending: 0,
  };
  const tap = createTap(commits, { maxWaiting }, timing);
  const answers: string[] = [];
  return {
    tap,
    passed,
    answers,
    timers: () => timers.length,
    add(topic: string) {
      const publication: Publication = { topic, payload: Buffer.alloc(0), repeated: false, receivedAtMs: epochMs(0) };
      tap.add(publication, (error) => answers.push(`${topic} ${error === undefined ? 'stored' : 'refused'}`));
    },
    pass(ms: number) {
      nowMs += ms;
      const due = timers.filter(({ atMs }) => atMs <= nowMs);
      timers = timers.filter(({ atMs }) => atMs > nowMs);
      for (const { run } of due) run();
    },
  };
}

test('while it is held nothing is answered; what waits passes in its order when it is released', () => {
  const { tap, add, passed, answers, timers } = createScene();
  add('a');
  tap.hold();
  for (const topic of ['b', 'c']) add(topic);
  expect(passed).toEqual(['a']);
  expect(answers).toEqual(['a stored']);
  expect(tap.pending).toBe(2);
  tap.release();
  add('d');
  expect(passed).toEqual(['a', 'b', 'c', 'd']);
  expect(answers).toHaveLength(4);
  expect(timers()).toBe(0);
});

test('who has waited for half a minute is refused, and nobody sooner', () => {
  const { tap, add, pass, answers, passed } = createScene();
  tap.hold();
  add('a');
  pass(CLOSE_AFTER_MS - 1_000);
  add('b');
  pass(999);
  expect(answers).toEqual([]);
  pass(1);
  expect(answers).toEqual(['a refused']);
  pass(CLOSE_AFTER_MS);
  expect(answers).toEqual(['a refused', 'b refused']);
  expect(passed).toEqual([]);
});

test('more than may wait are refused at once, and the end leaves the rest unanswered', () => {
  const { tap, add, answers, timers } = createScene(2);
  tap.hold();
  for (const topic of ['a', 'b', 'c']) add(topic);
  expect(answers).toEqual(['c refused']);
  tap.flush();
  expect(answers).toEqual(['c refused']);
  expect(timers()).toBe(0);
});
