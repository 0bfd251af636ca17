import { expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { createGroupCommit, type GroupCommitOptions, type Timing } from './group-commit.js';
import type { Accept, Publication } from './publication.js';

const publication: Publication = { topic: 't', payload: Buffer.from(''), repeated: false, receivedAtMs: epochMs(0) };

/** A world in which time passes only when told to; `turnMs` is what one turn of the event loop takes. */
function createWorld(options: Partial<GroupCommitOptions> = {}, accept?: Accept) {
  let nowMs = 0;
  const due = new Map<object, { readonly atMs: number; readonly run: () => void }>();
  const plan = (ms: number, run: () => void) => {
    const key = {};
    due.set(key, { atMs: nowMs + ms, run });
    return () => void due.delete(key);
  };
  const timing: Timing = { monotonicMs: () => nowMs, nextTurn: (run) => plan(0.01, run), after: plan };
  const commits: { readonly atMs: number; readonly size: number }[] = [];
  const takes = (batch: readonly Publication[]) => {
    commits.push({ atMs: nowMs, size: batch.length });
    accept?.(batch);
  };
  const group = createGroupCommit(takes, { maxPending: 1_000, windowMs: 20, ...options }, timing);

  function pass(untilMs: number): void {
    for (;;) {
      const next = [...due].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (next === undefined || next[1].atMs > untilMs) break;
      due.delete(next[0]);
      nowMs = next[1].atMs;
      next[1].run();
    }
    nowMs = untilMs;
  }

  /** One arrival each `everyMs`; resolves to how long each waited for its answer. */
  function arrive(count: number, everyMs: number): number[] {
    const waits: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const atMs = nowMs;
      group.add(publication, () => waits.push(nowMs - atMs));
      pass(nowMs + everyMs);
    }
    return waits;
  }
  return { group, commits, arrive, pass };
}

test('under low load nobody waits', () => {
  const { arrive, commits } = createWorld();
  const waits = arrive(200, 10);
  expect(Math.max(...waits)).toBeLessThan(0.1);
  expect(commits).toHaveLength(200);
});

test('under load one commit gathers a window, and nobody waits longer than that', () => {
  const { arrive, pass, commits } = createWorld();
  const waits = arrive(5_000, 0.2);
  pass(2_000);
  expect(waits).toHaveLength(5_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(20.01);
  const settled = commits.slice(50).map(({ size }) => size);
  expect(settled.reduce((sum, size) => sum + size, 0) / settled.length).toBeGreaterThan(80);
});

test('a window of 0 never waits', () => {
  const { arrive } = createWorld({ windowMs: 0 });
  expect(Math.max(...arrive(2_000, 0.2))).toBeLessThan(0.1);
});

test('a sender with few packets in flight is not kept waiting for a window that nothing fills', () => {
  const world = createWorld();
  let endedMs = 0;
  // Twenty packets, and the next twenty only when these are answered.
  for (let round = 0; round < 500; round += 1) {
    let open = 20;
    for (let n = 0; n < 20; n += 1) {
      world.group.add(publication, () => {
        open -= 1;
      });
    }
    for (let step = 0; open > 0 && step < 1_000; step += 1) {
      endedMs += 0.1;
      world.pass(endedMs);
    }
    expect(open).toBe(0);
  }
  // With the whole window each it would take 10,000 ms, with a quiet moment each 1,000.
  expect(endedMs).toBeLessThan(150);
  expect(Math.max(...world.commits.map(({ size }) => size))).toBe(20);
});

test('a wait ends as soon as nothing more arrives', () => {
  const world = createWorld();
  world.arrive(2_000, 0.2);
  world.pass(1_000);
  const before = world.commits.length;
  const waits = world.arrive(1, 30);
  expect(waits[0]).toBeLessThanOrEqual(2.02);
  expect(world.commits).toHaveLength(before + 1);
});

test('low load after high load is found to be low', () => {
  const world = createWorld();
  world.arrive(5_000, 0.2);
  world.pass(2_000);
  world.arrive(20, 100);
  expect(Math.max(...world.arrive(100, 100))).toBeLessThan(0.1);
});

test('no commit holds more than max_pending', () => {
  const { arrive, commits } = createWorld({ maxPending: 7 });
  arrive(2_000, 0.001);
  expect(Math.max(...commits.map(({ size }) => size))).toBe(7);
});

test('everybody is answered once and in order, with the failure when the commit failed', () => {
  let fails = true;
  const world = createWorld({}, () => {
    if (fails) throw new Error('disk full');
  });
  const heard: string[] = [];
  for (const name of ['a', 'b']) world.group.add(publication, (error) => heard.push(`${name} ${error?.message}`));
  world.pass(1);
  fails = false;
  world.group.add(publication, (error) => heard.push(`c ${error?.message}`));
  expect(world.group.pending).toBe(1);
  world.group.flush();
  world.pass(100);
  expect(heard).toEqual(['a disk full', 'b disk full', 'c undefined']);
  expect(world.group.pending).toBe(0);
});

test('what an answer adds goes into the next commit', () => {
  const world = createWorld();
  const heard: string[] = [];
  world.group.add(publication, () => {
    heard.push('first');
    world.group.add(publication, () => heard.push('second'));
  });
  world.pass(50);
  expect(heard).toEqual(['first', 'second']);
  expect(world.commits.map(({ size }) => size)).toEqual([1, 1]);
});
