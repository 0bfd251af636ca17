import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ballastPath, openBallast } from './ballast.js';
import type { Buffer } from './buffer.js';
import { checkpoint } from './checkpoint.js';
import { at, type Bench, createBench, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PAGE = 4_096;

/** Readings of two meters, one with a register and one without, every ten seconds. */
function fill(buffer: Buffer, hours: number, fromMs = 0): void {
  for (let ms = fromMs; ms < fromMs + hours * HOUR; ms += 10_000) {
    const importWh = ms / 3_600;
    buffer.commit({
      readings: [reading('a', ms, { importWh, powerW: 1_000 }), reading('b', ms, { powerW: (ms / 1_000) % 777 })],
      rejected: [],
    });
  }
}

const slotsOf = () => bench.reader().stream('slot', 0, 10_000);

test('thinning deletes what stored slots hold and nothing else: no slot changes, and late readings still merge', () => {
  const buffer = bench.open({ keepUnsettled: true });
  fill(buffer, 3);
  buffer.closeSlots(at(2 * HOUR), 10_000);
  const slots = slotsOf();
  const inSlots = slots.reduce((sum, { count }) => sum + count, 0);
  const before = bench.reader().totals().readings;
  let thinned = 0;
  for (let step = buffer.thin(); step > 0; step = buffer.thin()) thinned += step;
  expect(thinned).toBe(inSlots);
  expect(bench.reader().totals().readings).toBe(before - thinned);
  expect(slotsOf()).toEqual(slots);
  buffer.close();

  // What is left rebuilds the open slots after a restart, and the sum over all slots is what the register rose by.
  const again = bench.open({ keepUnsettled: true });
  again.closeSlots(at(10 * HOUR), 10_000);
  const ofA = slotsOf().filter(({ meter }) => meter === 'a');
  expect(ofA).toHaveLength(36);
  const risenMwh = (slotsFrom: typeof ofA) => slotsFrom.reduce((sum, { energyMwh }) => sum + energyMwh, 0);
  expect(risenMwh(ofA.slice(1))).toBeCloseTo((3 * HOUR - 10_000 - 5 * MINUTE) / 3.6, -2);
  again.commit({ readings: [reading('a', 10_000), reading('a', 15_000, { powerW: 1_000 })], rejected: [] });
  again.closeSlots(at(10 * HOUR), 10_000);
  const first = slotsOf().find(({ meter, slotStartMs }) => meter === 'a' && slotStartMs === at(0));
  expect(first).toMatchObject({ count: 31, revision: 2 });
});

test('what the centre has is dropped first, also beyond a gap, and never a row that an open slot needs', () => {
  const buffer = bench.open({ keepUnsettled: true });
  fill(buffer, 1);
  buffer.closeSlots(at(1 * HOUR), 10_000);
  const ranges = [
    { after: 0, upTo: 100 },
    { after: 300, upTo: 400 },
    { after: 600, upTo: 720 },
  ];
  buffer.settle('reading', { logId: buffer.logId, ranges });
  expect(buffer.droppable()).toEqual({ settled: 100 + 100 + 60, inSlots: 660 });
  expect(buffer.dropSettled()).toBe(260);
  expect(buffer.dropSettled()).toBe(0);
  const left = bench
    .reader()
    .stream('reading', 0, 1_000)
    .map(({ seq }) => seq);
  expect([left[0], left.length]).toEqual([101, 720 - 260]);
  expect(left).not.toContain(350);
  expect(left.at(-1)).toBe(720);
  expect(bench.reader().totals().readings).toBe(left.length);
  expect(bench.reader().backlog().reading).toBe(400);
});

test('without a centre nothing is there to be dropped, and everything in slots to be thinned', () => {
  const buffer = bench.open();
  fill(buffer, 1);
  buffer.closeSlots(at(2 * HOUR), 10_000);
  expect(buffer.dropSettled()).toBe(0);
  // The newest row stays: it tells which number comes next.
  expect(buffer.thin()).toBe(719);
});

test('a file that has reached its bound refuses, and takes in again what relief has made room for', () => {
  const maxBytes = 100 * PAGE;
  const buffer = bench.open({ maxBytes });
  let taken = 0;
  const add = () => {
    const readings = Array.from({ length: 200 }, (_, n) => reading('a', taken * 1_000 + n));
    buffer.commit({ readings, rejected: [] });
    taken += 1;
  };
  expect(() => {
    for (;;) add();
  }).toThrow(expect.objectContaining({ code: 'buffer.full' }));
  expect(taken).toBeGreaterThan(10);
  expect(bench.reader().totals().readings).toBe(taken * 200);
  const { growthBytes, reusableBytes } = buffer.room();
  expect(growthBytes + reusableBytes).toBeLessThan(8 * PAGE);
  expect(buffer.thin()).toBe(0);
  expect(() => buffer.closeSlots(at(10 * HOUR), 1)).not.toThrow();
  buffer.closeSlots(at(10 * HOUR), 10_000);
  expect(buffer.thin()).toBeGreaterThan(0);
  expect(buffer.room().reusableBytes).toBeGreaterThan(8 * PAGE);
  expect(add).not.toThrow();
});

test('room inside the file goes back to the disk in steps', () => {
  const buffer = bench.open();
  for (let n = 0; n < 20; n += 1) {
    buffer.commit({ readings: Array.from({ length: 2_000 }, (_, m) => reading('a', n * 2_000 + m)), rejected: [] });
  }
  buffer.closeSlots(at(10 * HOUR), 10_000);
  while (buffer.thin() > 0);
  checkpoint(bench.path);
  const before = statSync(bench.path).size;
  expect(buffer.vacuum()).toBe(256);
  while (buffer.vacuum() > 0);
  checkpoint(bench.path);
  expect(statSync(bench.path).size).toBeLessThan(before / 4);
});

test('what a checkpoint will lengthen the file by counts as used', () => {
  const buffer = bench.open();
  buffer.commit({ readings: Array.from({ length: 5_000 }, (_, n) => reading('a', n)), rejected: [] });
  expect(buffer.room().pendingBytes).toBeGreaterThan(20 * PAGE);
  checkpoint(bench.path);
  expect(buffer.room().pendingBytes).toBe(0);
});

test('the ballast is as large as it should be, is gone at once, and is not left half made', async () => {
  const never = new AbortController().signal;
  const path = ballastPath(bench.path);
  const ballast = openBallast(path, 2_500_000);
  expect(ballast.release()).toBe(false);
  expect(await ballast.fill(never)).toBe('filled');
  expect(statSync(path).size).toBe(2_500_000);
  expect(ballast.bytes).toBe(2_500_000);
  expect(ballast.release()).toBe(true);
  expect(existsSync(path)).toBe(false);
  const stopped = new AbortController();
  stopped.abort();
  expect(await ballast.fill(stopped.signal)).toBe('failed');
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, 'of another size');
  expect(await ballast.fill(never)).toBe('filled');
  expect(ballast.bytes).toBe(2_500_000);
});

test('the bytes that are counted are those that the log of writes grows by', () => {
  const buffer = bench.open();
  const size = () => statSync(`${bench.path}-wal`).size;
  const sum = () => Object.values(buffer.written()).reduce((total, bytes) => total + bytes, 0);
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  const before = { size: size(), sum: sum() };
  for (let n = 1; n <= 50; n += 1) buffer.commit({ readings: [reading('a', n * 1_000)], rejected: [] });
  buffer.closeSlots(at(1 * HOUR), 10);
  expect(sum() - before.sum).toBeGreaterThanOrEqual(size() - before.size);
  expect(sum() - before.sum).toBeLessThanOrEqual(size() - before.size + 60 * PAGE);
  expect(buffer.written()).toMatchObject({ readings: expect.any(Number), slots: expect.any(Number), analysis: 0 });
  expect(buffer.written().slots).toBeGreaterThan(0);
  // Begun anew by the next commit, it is counted from its beginning.
  checkpoint(bench.path);
  const again = sum();
  buffer.commit({ readings: [reading('a', 60_000)], rejected: [] });
  expect(sum() - again).toBeLessThan(10 * PAGE);
  buffer.wrote('checkpoints', 12_345);
  expect(buffer.written().checkpoints).toBe(12_345);
});

/** Of this process, as the kernel counts; the file systems of some containers report nothing. */
function kernelBytes(): number {
  if (!existsSync('/proc/self/io')) return 0;
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
}

test('what is counted is what the kernel writes', ({ skip }) => {
  const buffer = bench.open();
  const sum = () => Object.values(buffer.written()).reduce((total, bytes) => total + bytes, 0);
  const before = { kernel: kernelBytes(), sum: sum() };
  for (let n = 0; n < 400; n += 1) buffer.commit({ readings: [reading('a', n * 1_000)], rejected: [] });
  const kernel = kernelBytes() - before.kernel;
  if (kernel === 0) skip('this file system does not report what is written');
  const ratio = kernel / (sum() - before.sum);
  console.log(`kernel/counted ${ratio.toFixed(2)}`);
  expect(ratio).toBeGreaterThan(0.8);
  expect(ratio).toBeLessThan(1.3);
});
