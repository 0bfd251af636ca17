import { expect, test } from 'vitest';
import { epochMs, type MeterId, parseMeterId } from '../domain/brand.js';
import { invariant } from '../domain/errors.js';
import { silentLogger } from '../domain/log.js';
import { createMetrics } from '../domain/metrics.js';
import { createSilenceWatch, MAX_NAMED, type SilentMeter } from './silence-watch.js';

const START_MS = Date.UTC(2026, 0, 15, 12);
const RULES = {
  intervals: 4,
  atLeastMs: 60_000,
  atMostMs: 3_600_000,
  activeHours: { from: 0, to: 24 },
  meters: new Map(),
};

function meter(name: string): MeterId {
  const id = parseMeterId(name);
  invariant(id !== undefined, name);
  return id;
}

/** Time stands still between two turns of the loop, and moves when the test says so. */
async function open(names: readonly string[]) {
  let nowMs = START_MS;
  let resume: () => void = () => undefined;
  let paused: () => void = () => undefined;
  const heard = new Map<MeterId, number>();
  const published: (readonly SilentMeter[])[] = [];
  const metrics = createMetrics();
  const clock = {
    now: () => epochMs(nowMs),
    monotonicMs: () => nowMs,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        resume = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
        paused();
      }),
  };
  const watch = createSilenceWatch(
    {
      registeredMeters: () => new Map(names.map((name) => [meter(name), {}])),
      heard: (id) => ({ atMs: heard.get(id), intervalMs: undefined }),
    },
    { rules: RULES, onChange: (silent) => published.push(silent) },
    { clock, random: () => 0, log: silentLogger, metrics },
  );
  const turn = async (act: () => void): Promise<void> => {
    const next = new Promise<void>((resolve) => {
      paused = resolve;
    });
    act();
    await next;
  };
  await turn(() => void watch.start());
  return {
    published,
    metrics,
    stop: () => watch.stop(new AbortController().signal),
    hears: (name: string) => heard.set(meter(name), nowMs),
    passes: (ms: number) =>
      turn(() => {
        nowMs += ms;
        resume();
      }),
  };
}

test('the list is told at the start and each time that it changes', async () => {
  const { published, hears, passes, metrics, stop } = await open(['a', 'b']);
  expect(published).toEqual([[]]);
  hears('a');
  await passes(50_000);
  hears('b');
  await passes(11_000);
  expect(published.slice(1)).toEqual([[{ meter: 'a', since: new Date(START_MS).toISOString() }]]);
  await passes(1_000);
  expect(published).toHaveLength(2);
  hears('a');
  await passes(40_000);
  await passes(10_000);
  expect(published.slice(2)).toEqual([[], [{ meter: 'b', since: new Date(START_MS + 50_000).toISOString() }]]);
  const gauge = { name: 'wattwarden_meters_silent', values: [{ value: 1, labels: {} }] };
  expect(await metrics.toJson()).toContainEqual(expect.objectContaining(gauge));
  await stop();
});

test('the list is bounded', async () => {
  const { published, passes, stop } = await open(Array.from({ length: MAX_NAMED + 5 }, (_, index) => `m${index}`));
  await passes(70_000);
  expect(published.at(-1)).toHaveLength(MAX_NAMED);
  await stop();
});
