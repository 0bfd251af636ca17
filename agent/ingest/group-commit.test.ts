import { beforeEach, expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { seededRandom } from '../domain/clock.js';
import { createGroupCommit, type Timing } from './group-commit.js';
import type { Accept, Publication } from './publication.js';

const publication: Publication = { topic: 't', payload: Buffer.from(''), repeated: false, receivedAtMs: epochMs(0) };

/** A world in which time passes only when told to; `turnMs` is what one turn of the event loop takes. */
function createWorld(
  { windowMs = () => 250, maxPending = 1_000 }: { windowMs?: () => number; maxPending?: number } = {},
  accept?: Accept,
) {
  let nowMs = 0;
  /** The latest first. */
  const due: { readonly atMs: number; readonly run: () => void }[] = [];
  const plan = (ms: number, run: () => void) => {
    const entry = { atMs: nowMs + ms, run };
    let at = due.length;
    while (at > 0 && (due[at - 1]?.atMs ?? 0) <= entry.atMs) at -= 1;
    due.splice(at, 0, entry);
    return () => {
      const found = due.indexOf(entry);
      if (found !== -1) due.splice(found, 1);
    };
  };
  const timing: Timing = { monotonicMs: () => nowMs, nextTurn: (run) => plan(0.01, run), after: plan };
  const commits: { readonly atMs: number; readonly size: number }[] = [];
  const takes = (batch: readonly Publication[]) => {
    nowMs += COMMIT_MS;
    commits.push({ atMs: nowMs, size: batch.length });
    accept?.(batch);
  };
  const group = createGroupCommit(takes, { maxPending, windowMs }, timing);

  function pass(ms: number): void {
    const untilMs = nowMs + ms;
    for (;;) {
      const next = due.at(-1);
      if (next === undefined || Math.max(nowMs, next.atMs) > untilMs) break;
      due.pop();
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
    }
    nowMs = Math.max(nowMs, untilMs);
  }

  /** Meters that send at moments of their own, so many a second; gives how long each reading waited for its answer. */
  function openLoop(perSecond: number, forMs: number, burst = 1): { readonly waits: readonly number[] } {
    const waits: number[] = [];
    const endsMs = nowMs + forMs;
    const next = (): void => {
      const pauseMs = (-Math.log(1 - random()) * 1_000 * burst) / perSecond;
      if (nowMs + pauseMs > endsMs) return;
      plan(pauseMs, () => {
        const atMs = nowMs;
        for (let n = 0; n < burst; n += 1) group.add(publication, () => waits.push(nowMs - atMs));
        next();
      });
    };
    next();
    return { waits };
  }

  /** The same through a processor that others hold up: what has piled up for `stallMs` comes within a seventh of that. */
  function stalledLoop(perSecond: number, forMs: number, { everyMs, stallMs }: Record<'everyMs' | 'stallMs', number>) {
    const beganMs = nowMs;
    const next = (atMs: number): void => {
      if (atMs > forMs) return;
      const intoStallMs = atMs % everyMs;
      const heldMs = intoStallMs < stallMs ? stallMs - (6 / 7) * intoStallMs : 0;
      plan(beganMs + atMs + heldMs - nowMs, () => {
        group.add(publication, () => undefined);
        next(atMs - (Math.log(1 - random()) * 1_000) / perSecond);
      });
    };
    next(0);
  }

  /** A sender that has so many under way and sends the next ones `roundTripMs` after their answers. */
  function closedLoop(underWay: number, roundTripMs: number): { readonly answered: readonly number[] } {
    const answered: number[] = [];
    const send = (): void => {
      group.add(publication, () => {
        answered.push(nowMs);
        plan(roundTripMs, send);
      });
    };
    for (let n = 0; n < underWay; n += 1) plan(0.001 * n, send);
    return { answered };
  }

  return { group, commits, pass, openLoop, stalledLoop, closedLoop, nowMs: () => nowMs };
}

const COMMIT_MS = 1;
const SEED = 11;
let random = seededRandom(SEED);
beforeEach(() => {
  random = seededRandom(SEED);
});

const share = (values: readonly number[], wanted: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(wanted * (values.length - 1))] ?? Number.NaN;
/** Publications in a commit, once it has learned. */
const meanSize = (commits: readonly { readonly size: number }[]): number => {
  const settled = commits.slice(Math.floor(commits.length / 4));
  return settled.reduce((sum, { size }) => sum + size, 0) / settled.length;
};
/** Publications in a second, over the last half. */
const rateOf = (answered: readonly number[]): number => {
  const half = answered.slice(Math.floor(answered.length / 2));
  return ((half.length - 1) * 1_000) / ((half.at(-1) ?? 0) - (half[0] ?? 0));
};

test('a meter that sends now and then is answered at once', () => {
  const { openLoop, pass } = createWorld();
  const { waits } = openLoop(2, 600_000);
  pass(601_000);
  expect(waits.length).toBeGreaterThan(1_000);
  expect(share(waits, 0.9)).toBeLessThan(5);
});

test('a hundred a second go twenty to a commit, and none waits for long', () => {
  const { openLoop, pass, commits } = createWorld();
  const { waits } = openLoop(100, 120_000);
  pass(121_000);
  expect(waits.length).toBeGreaterThan(11_000);
  expect(meanSize(commits)).toBeGreaterThan(20);
  expect(Math.max(...waits)).toBeLessThanOrEqual(255);
});

test('five thousand a second go a hundred to a commit, without waiting for the whole window', () => {
  const { openLoop, pass, commits } = createWorld();
  const { waits } = openLoop(5_000, 20_000);
  pass(21_000);
  expect(meanSize(commits)).toBeGreaterThan(80);
  expect(share(waits, 0.99)).toBeLessThan(40);
});

test('messages that come in pairs are gathered too', () => {
  const { openLoop, pass, commits } = createWorld();
  openLoop(100, 120_000, 2);
  pass(121_000);
  expect(meanSize(commits)).toBeGreaterThan(18);
});

test.each([
  [150, 60],
  [400, 100],
  [1_000, 200],
])('what piles up every %i ms for %i ms is no reason to hurry', (everyMs, stallMs) => {
  const { stalledLoop, pass, commits } = createWorld();
  stalledLoop(100, 300_000, { everyMs, stallMs });
  pass(301_000);
  expect(meanSize(commits)).toBeGreaterThan(23);
});

test('trying whether haste brings more costs fewer than one commit in twenty', () => {
  const { openLoop, pass, commits } = createWorld();
  openLoop(100, 600_000);
  pass(601_000);
  const settled = commits.slice(Math.floor(commits.length / 4));
  expect(settled.filter(({ size }) => size < 4).length / settled.length).toBeLessThan(1 / 20);
});

test.each([
  [1, 0.3],
  [1, 20],
  [20, 0.3],
  [20, 20],
  [500, 0.3],
])('a sender with %i under way and a round trip of %f ms is hardly slowed', (underWay, roundTripMs) => {
  const rates = [0, 250].map((windowMs) => {
    const { closedLoop, pass } = createWorld({ windowMs: () => windowMs });
    const { answered } = closedLoop(underWay, roundTripMs);
    pass(underWay > 100 ? 500 : 10_000);
    return rateOf(answered);
  });
  expect((rates[1] ?? 0) / (rates[0] ?? 0)).toBeGreaterThan(0.85);
});

test('one that catches up among meters that take their time is found within half a minute', () => {
  const { openLoop, closedLoop, pass } = createWorld();
  openLoop(100, 120_000);
  pass(60_000);
  const { answered } = closedLoop(1, 0.3);
  pass(60_000);
  // Alone and without any waiting it would have some 700 a second.
  expect(rateOf(answered)).toBeGreaterThan(300);
});

test('once it has caught up, commits are large again', () => {
  const { openLoop, pass, commits, group } = createWorld();
  let left = 20_000;
  const send = (): void => {
    left -= 1;
    if (left >= 0) group.add(publication, send);
  };
  for (let n = 0; n < 20; n += 1) send();
  pass(30_000);
  const before = commits.length;
  openLoop(100, 60_000);
  pass(61_000);
  expect(meanSize(commits.slice(before))).toBeGreaterThan(18);
});

test('a window of 0 never waits', () => {
  const { openLoop, pass } = createWorld({ windowMs: () => 0 });
  const { waits } = openLoop(100, 20_000);
  pass(21_000);
  expect(Math.max(...waits)).toBeLessThan(5);
});

test('the window is asked anew for each commit', () => {
  let windowMs = 250;
  const { openLoop, pass, commits } = createWorld({ windowMs: () => windowMs });
  openLoop(100, 60_000);
  pass(30_000);
  windowMs = 1_000;
  const before = commits.length;
  pass(31_000);
  expect(meanSize(commits.slice(before))).toBeGreaterThan(60);
});

test('no commit holds more than max_pending', () => {
  const { openLoop, pass, commits } = createWorld({ maxPending: 7 });
  openLoop(50_000, 1_000);
  pass(2_000);
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
