import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { seededRandom } from '../domain/clock.js';
import type { StoredSlot } from '../domain/stored.js';
import type { Buffer } from './buffer.js';
import { randomSteps, type Step } from './random-steps.fixture.js';
import { createSlotModel, modelled, placeOf, type SlotModel } from './slot-model.fixture.js';
import { type Bench, createBench } from './test-kit.js';

/** FUZZ_RUNS=10000 is the full run, which `npm run soak` makes; FUZZ_SEED repeats one from its first seed on. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 100);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
/** Processes that are started and killed: each costs as much as a hundred other runs. */
const KILLS = Math.max(3, Math.round(RUNS / 50));
const STEPS = 40;
const RETENTION_MS = 3_600_000;
const FAR_MS = 30 * 86_400_000;
const FAR = epochMs(20_000 * 86_400_000 + FAR_MS);

let bench: Bench | undefined;
afterEach(() => bench?.clean());

const keepUnsettled = (seed: number): boolean => seed % 2 === 0;

interface Run {
  readonly seed: number;
  readonly bench: Bench;
  readonly model: SlotModel;
  readonly settled: { upTo: number };
}

const open = ({ bench: { open: openIn }, seed }: Run): Buffer =>
  openIn({ retentionMs: RETENTION_MS, keepUnsettled: keepUnsettled(seed), slotGraceMs: 60_000 });

/** As the plug is pulled: the file and its WAL stay, and nothing else. */
function cutPower({ bench: { path, killed } }: Run, buffer: Buffer): void {
  const copy = killed();
  buffer.close();
  for (const suffix of ['', '-wal', '-shm', '.in-use']) rmSync(path + suffix, { force: true });
  for (const suffix of ['', '-wal']) {
    if (!existsSync(copy + suffix)) continue;
    copyFileSync(copy + suffix, path + suffix);
    rmSync(copy + suffix);
  }
}

/** One step of the real one and of the model; gives the buffer to go on with. */
function take(run: Run, buffer: Buffer, step: Step): Buffer {
  switch (step.kind) {
    case 'commit':
      run.bench.clock.set(step.atMs);
      buffer.commit({ readings: step.readings, rejected: [] });
      run.model.take(step.readings);
      expect(buffer.head().seq).toBe(run.model.rows);
      return buffer;
    case 'close-slots':
      run.bench.clock.set(step.atMs);
      buffer.closeSlots(step.atMs, step.limit);
      return buffer;
    case 'settle': {
      const upTo = Math.floor(step.share * run.model.rows);
      buffer.settle('reading', { logId: buffer.logId, ranges: [{ after: 0, upTo }] });
      run.settled.upTo = Math.max(run.settled.upTo, upTo);
      return buffer;
    }
    case 'prune':
      run.bench.clock.set(step.atMs);
      while (buffer.prune(step.atMs).more);
      return buffer;
    case 'reopen':
      buffer.close();
      return open(run);
    case 'power-cut':
      cutPower(run, buffer);
      return open(run);
  }
}

const closeAll = (buffer: Buffer): void => {
  while (buffer.closeSlots(FAR, 1_000).more);
};

function slotsIn(path: string, bench: Bench): ReadonlyMap<string, StoredSlot> {
  const reader = bench.reader(path);
  try {
    return new Map(reader.stream('slot', 0, 100_000).map((slot) => [placeOf(slot.meter, slot.slotStartMs), slot]));
  } finally {
    reader.close();
  }
}

/** What a slot says, whatever its way to it. */
const content = ({ changeSeq: _, revision: __, ...slot }: StoredSlot): object => slot;

function compare(run: Run, buffer: Buffer): void {
  const { bench, model, settled, seed } = run;
  closeAll(buffer);
  const slots = slotsIn(bench.path, bench);
  const expected = model.slots();
  const heard = [...slots].filter(([, { count }]) => count > 0).map(([place]) => place);
  expect(heard.sort(), `seed ${seed}`).toEqual([...expected.keys()].sort());
  for (const [place, slot] of slots) {
    const wanted = expected.get(place);
    if (wanted === undefined) continue;
    expect(modelled(slot, wanted), `seed ${seed}, ${place}`).toEqual(wanted);
  }

  // The readings in order, at one go, without a stop: not one slot may differ, in energy and coverage too.
  const straight = `${bench.path}.straight`;
  const reference = bench.open({ path: straight, retentionMs: FAR_MS });
  const inOrder = [...model.distinct()].sort((a, b) => a.takenAtMs - b.takenAtMs);
  reference.commit({ readings: inOrder, rejected: [] });
  closeAll(reference);
  const inOneGo = slotsIn(straight, bench);
  expect([...slots.keys()].sort(), `seed ${seed}`).toEqual([...inOneGo.keys()].sort());
  for (const [place, slot] of inOneGo) {
    const other = slots.get(place);
    expect(other && content(other), `seed ${seed}, ${place}`).toEqual(content(slot));
  }
  reference.close();

  const reader = bench.reader();
  expect(reader.settled('reading').ranges.at(0)?.upTo ?? 0, `seed ${seed}`).toBe(settled.upTo);
  expect(reader.head().seq).toBe(model.rows);
  expect(reader.totals().slots).toBe(slots.size);
  expect(new Set([...slots.values()].map(({ changeSeq }) => changeSeq)).size, `seed ${seed}`).toBe(slots.size);
  const kept = reader.stream('reading', 0, 100_000);
  // Retention takes from the beginning alone, and nothing that the centre lacks.
  const numbers = kept.map((_, index) => model.rows - kept.length + index + 1);
  expect(kept.map((row) => row.seq)).toEqual(numbers);
  if (keepUnsettled(seed)) expect(model.rows - kept.length).toBeLessThanOrEqual(settled.upTo);
  reader.close();
  comparePacked(run, buffer, slots);
}

/** Whole days later, packed, every slot reads as it did. */
function comparePacked({ bench, seed }: Run, buffer: Buffer, slots: ReadonlyMap<string, StoredSlot>): void {
  buffer.settle('slot', { logId: buffer.logId, ranges: [{ after: 0, upTo: buffer.head().changeSeq }] });
  // After a restart any day may still be coming, until some minutes were quiet.
  for (const nowMs of [FAR, epochMs(FAR + 3_600_000)]) while (buffer.packDays(nowMs).more);
  const reader = bench.reader();
  const meters = new Set([...slots.values()].map(({ meter }) => meter));
  const packed = [...meters].flatMap((meter) => reader.slotsOf(meter, epochMs(0), FAR));
  expect(packed).toHaveLength(slots.size);
  for (const slot of packed) {
    const { changeSeq: _, ...before } = slots.get(placeOf(slot.meter, slot.slotStartMs)) ?? {};
    const { changeSeq: __, ...now } = slot;
    expect(now, `seed ${seed}, packed`).toEqual(before);
  }
  expect(reader.totals(), `seed ${seed}`).toMatchObject({ slots: slots.size });
  expect(reader.stream('slot', 0, 1), `seed ${seed}`).toHaveLength(keepUnsettled(seed) ? 0 : 1);
  reader.close();
}

test('random readings, stops and power cuts: slots, totals and cursors are what a simple model says', {
  timeout: 60_000 + RUNS * 2_000,
}, () => {
  console.log(`FUZZ_SEED=${SEED} FUZZ_RUNS=${RUNS}`);
  const done: Record<string, number> = {};
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    bench = createBench();
    const run: Run = { seed, bench, model: createSlotModel(), settled: { upTo: 0 } };
    let buffer = open(run);
    for (const step of randomSteps(seed, STEPS)) {
      buffer = take(run, buffer, step);
      done[step.kind] = (done[step.kind] ?? 0) + 1;
    }
    compare(run, buffer);
    buffer.close();
    bench.clean();
  }
  console.log(JSON.stringify(done));
});

const built = (module: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/agent/${module}`, import.meta.url)));

/** Takes the steps that do not need a stop, as fast as it can, and says after each that it is done. */
const child = (path: string, seed: number) => `
import { writeSync } from 'node:fs';
import { openBuffer } from ${built('buffer/buffer.js')};
import { randomSteps } from ${built('buffer/random-steps.fixture.js')};
import { silentLogger } from ${built('domain/log.js')};
let nowMs = ${20_000 * 86_400_000};
const clock = { now: () => nowMs, monotonicMs: () => 0, sleep: async () => undefined };
const buffer = openBuffer({ path: ${JSON.stringify(path)}, clock, log: silentLogger, slotGraceMs: 60000, maxRejected: 100,
  maxRejectedBytes: 1e6, retentionMs: ${RETENTION_MS}, keepUnsettled: ${keepUnsettled(seed)} });
for (const step of randomSteps(${seed}, ${STEPS})) {
  if ('atMs' in step) nowMs = step.atMs;
  if (step.kind === 'commit') buffer.commit({ readings: step.readings, rejected: [] });
  if (step.kind === 'close-slots') buffer.closeSlots(step.atMs, step.limit);
  if (step.kind === 'prune') while (buffer.prune(step.atMs).more);
  writeSync(1, step.kind + '\\n');
}
setInterval(() => undefined, 1000);
`;

/** Resolves to the steps that were said to be done when it was killed, after `steps` of them. */
async function killAfter(path: string, seed: number, steps: number): Promise<number> {
  const process_ = spawn(process.execPath, ['--input-type=module', '-e', child(path, seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(process_, 'close');
  let done = 0;
  for await (const _ of createInterface({ input: process_.stdout })) {
    done += 1;
    if (done === steps) process_.kill('SIGKILL');
  }
  await ended;
  expect(process_.signalCode).toBe('SIGKILL');
  return done;
}

test('real kills of a process at work: what it had said is there, and the rest goes on from it', {
  timeout: 60_000 + KILLS * 10_000,
}, async () => {
  console.log(`FUZZ_SEED=${SEED} kills=${KILLS}`);
  const random = seededRandom(SEED);
  for (let seed = SEED; seed < SEED + KILLS; seed += 1) {
    bench = createBench();
    const run: Run = { seed, bench, model: createSlotModel(), settled: { upTo: 0 } };
    const steps = randomSteps(seed, STEPS);
    const said = await killAfter(bench.path, seed, 1 + Math.floor(random() * (STEPS - 1)));
    let buffer = open(run);
    const stored = buffer.head().seq;
    // What had been said, and as much beyond it as the number of rows proves.
    let taken = 0;
    for (const step of steps) {
      const rows = step.kind === 'commit' ? step.readings.length : 0;
      if (taken >= said && (rows === 0 || run.model.rows + rows > stored)) break;
      if (step.kind === 'commit') run.model.take(step.readings);
      taken += 1;
    }
    expect(run.model.rows, `seed ${seed}`).toBe(stored);
    for (const step of steps.slice(taken)) buffer = take(run, buffer, step);
    compare(run, buffer);
    buffer.close();
    bench.clean();
  }
});
