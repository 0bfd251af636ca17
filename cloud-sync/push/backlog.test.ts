import { expect, test } from 'vitest';
import { epochMs, type LogId, logId, parseMeterId, seq } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { invariant, WattwardenError } from '../../agent/domain/errors.js';
import { endOf, joinRanges, MAX_RANGES, prefixOf, type Ranges } from '../../agent/domain/ranges.js';
import type { Settled, StoredReading, StreamName, Streams } from '../../agent/domain/stored.js';
import { createPush, type PushOptions, type PushSource } from './push.js';

/** What push does with a log that grows, a link that fails and a process that ends; its counterpart is in push.test.ts. */

const LOG: LogId = logId('log-a');
const never = new AbortController().signal;
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);

const METER = parseMeterId('m');
invariant(METER !== undefined, 'm names a meter');
const row = (position: number): StoredReading => ({
  seq: seq(position),
  meter: METER,
  takenAtMs: epochMs(position * 1_000),
  timeSource: 'meter',
  receivedAtMs: epochMs(position * 1_000),
  powerDw: position,
  importDwh: null,
  exportDwh: null,
  voltageCv: null,
  currentMa: null,
  powerFactorPm: null,
  frequencyChz: null,
  flags: 0,
});

interface Call {
  readonly after: number;
  readonly upTo: number;
  readonly seqs: readonly number[];
}

/** One stream of readings in memory, and a centre that notes what it is sent. */
function createScene(batchRows: number) {
  let head = 0;
  const lost = new Set<number>();
  let written: Ranges = [];
  let link: () => 'fine' | 'down' | 'unanswered' = () => 'fine';
  const calls: Call[] = [];
  const source: PushSource = {
    logId: LOG,
    head: () => ({ seq: head, changeSeq: 0 }),
    settled: (name) => ({ logId: LOG, ranges: name === 'reading' ? written : [] }),
    stream<S extends StreamName>(name: S, after: number, limit: number, upTo: number) {
      const rows: StoredReading[] = [];
      if (name !== 'reading') return [];
      for (let at = after + 1; at <= Math.min(head, upTo) && rows.length < limit; at += 1) {
        if (!lost.has(at)) rows.push(row(at));
      }
      return rows as unknown as readonly Streams[S][];
    },
  };
  const centre: PushOptions['centre'] = {
    async call(_name, [, after, upTo, seqs]) {
      const state = link();
      if (state === 'down') throw new WattwardenError('centre.unreachable', 'cut');
      calls.push({ after: Number(after), upTo: Number(upTo), seqs: String(seqs).slice(1, -1).split(',').map(Number) });
      if (state === 'unanswered') throw new WattwardenError('centre.unreachable', 'cut before the answer');
      return [];
    },
  };
  const open = (store: (ranges: Ranges) => boolean = () => true) =>
    createPush({
      source,
      centre,
      batchRows,
      settle: (_stream: StreamName, { ranges }: Settled) => {
        if (store(ranges)) written = joinRanges(written, ranges);
      },
    });
  return {
    open,
    calls,
    lost,
    grow: (rows: number) => (head += rows),
    link: (state: typeof link) => (link = state),
    get head() {
      return head;
    },
    get written() {
      return written;
    },
  };
}

test('after an outage each turn brings the newest rows first and then some of the backlog, and nothing twice', async () => {
  const scene = createScene(10);
  scene.grow(20);
  const push = scene.open();
  while ((await push.pushOnce(never)).more);
  scene.calls.length = 0;
  scene.grow(200);
  const spans: string[] = [];
  for (let more = true; more; ) {
    more = (await push.pushOnce(never)).more;
    spans.push(...scene.calls.splice(0).map(({ seqs }) => `${seqs[0]}-${seqs.at(-1)}`));
    if (more) scene.grow(3);
  }
  expect(spans.slice(0, 8)).toEqual(['211-220', '21-30', '221-223', '31-40', '224-226', '41-50', '227-229', '51-60']);
  const sent = spans.flatMap((span) => {
    const [from = 0, to = 0] = span.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  expect(sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: scene.head - 20 }, (_, index) => 21 + index));
  expect(scene.written).toEqual([{ after: 0, upTo: scene.head }]);
});

test('a short backlog is sent in order', async () => {
  const scene = createScene(10);
  scene.grow(40);
  const push = scene.open();
  while ((await push.pushOnce(never)).more);
  expect(scene.calls.map(({ after }) => after)).toEqual([0, 10, 20, 30]);
});

test('where neither the end of a gap nor the newest number belongs to a row, what waits between them is not forgotten', async () => {
  const scene = createScene(1);
  const push = scene.open();
  scene.grow(1);
  await push.pushOnce(never);
  scene.lost.add(20).add(41);
  scene.grow(20);
  await push.pushOnce(never);
  scene.grow(20);
  while ((await push.pushOnce(never)).more);
  expect(new Set(scene.calls.flatMap(({ seqs }) => seqs)).size).toBe(39);
});

test('outage within outage: the list of ranges stays short, and every row arrives', async () => {
  const scene = createScene(10);
  const push = scene.open();
  let longest = 0;
  for (let outage = 0; outage < 3 * MAX_RANGES; outage += 1) {
    scene.grow(100);
    await push.pushOnce(never);
    longest = Math.max(longest, scene.written.length);
  }
  expect(longest).toBe(MAX_RANGES);
  while ((await push.pushOnce(never)).more);
  expect(new Set(scene.calls.flatMap(({ seqs }) => seqs)).size).toBe(scene.head);
  expect(scene.written).toEqual([{ after: 0, upTo: scene.head }]);
});

test('whatever fails, restarts or is lost: nothing is skipped, and without failures nothing is sent twice', async () => {
  console.log(`FUZZ_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const below = (n: number): number => Math.floor(random() * n);
  for (let run = 0; run < RUNS; run += 1) {
    const scene = createScene(1 + below(8));
    const isReliable = run % 3 === 0;
    const flaky = () => (below(4) === 0 ? (below(2) === 0 ? 'down' : 'unanswered') : 'fine');
    if (!isReliable) scene.link(flaky);
    const store = () => isReliable || below(5) > 0;
    let push = scene.open(store);
    for (let step = below(40); step >= 0; step -= 1) {
      const grown = below(3) === 0 ? below(120) : below(5);
      for (let at = 1; at <= grown; at += 1) if (below(30) === 0) scene.lost.add(scene.head + at);
      scene.grow(grown);
      if (!isReliable && below(5) === 0) push = scene.open(store);
      await push.pushOnce(never).catch(() => undefined);
    }
    scene.link(() => 'fine');
    push = scene.open();
    for (let turns = 0; (await push.pushOnce(never)).more; turns += 1) expect(turns).toBeLessThan(2_000);

    const wanted = Array.from({ length: scene.head }, (_, index) => index + 1).filter((at) => !scene.lost.has(at));
    const sent = scene.calls.flatMap(({ seqs }) => seqs);
    expect([...new Set(sent)].toSorted((a, b) => a - b)).toEqual(wanted);
    if (isReliable) expect(sent).toHaveLength(wanted.length);
    // The centre is never told that it has what was lost.
    for (const { after, upTo, seqs } of scene.calls) expect(seqs).toHaveLength(upTo - after);
    const newest = wanted.at(-1) ?? 0;
    expect(prefixOf(scene.written)).toBe(endOf(scene.written));
    expect(endOf(scene.written)).toBeGreaterThanOrEqual(newest);
  }
});
