import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSlotWindows } from '../../models/window/slot-windows.js';
import { openBuffer, type Buffer as Storage } from '../buffer/buffer.js';
import { checkpoint } from '../buffer/checkpoint.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { type Clock, systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import { SLOT_MS } from '../domain/slot.js';
import { fillWindows } from './fill-windows.js';

const METER = 'm-1' as MeterId;
const SLOTS = 2_000;
const FROM_SLOT = Math.floor(Date.now() / SLOT_MS) - SLOTS - 10;
const END_MS = epochMs((FROM_SLOT + SLOTS) * SLOT_MS);
/** Each look at it is ten milliseconds later, so that every step of the filling is a part. */
const SLOW: Clock = { ...systemClock, monotonicMs: () => ++looks * 10 };

let looks = 0;
let dir = '';
let buffer: Storage;
const path = (): string => join(dir, 'buffer.sqlite');

beforeEach(async () => {
  looks = 0;
  dir = await mkdtemp(join(tmpdir(), 'ww-fill-'));
  const bounds = { slotGraceMs: 0, maxRejected: 1, maxRejectedBytes: 1e6, retentionMs: 90 * 86_400_000 };
  buffer = openBuffer({ ...bounds, keepUnsettled: false, path: path(), clock: systemClock, log: silentLogger });
  analysed(0, SLOTS, 100);
});
afterEach(async () => {
  buffer.close();
  await rm(dir, { recursive: true });
});

function analysed(from: number, to: number, powerW: number, intoSlotMs = SLOT_MS / 2): void {
  const readings = Array.from({ length: to - from }, (_, index) => {
    const takenAtMs = epochMs((FROM_SLOT + from + index) * SLOT_MS + intoSlotMs);
    return { meter: METER, takenAtMs, timeSource: 'meter' as const, receivedAtMs: takenAtMs, powerW, flags: 0 };
  });
  buffer.commit({ readings, rejected: [] });
  while (buffer.closeSlots(systemClock.now(), 1_000).more);
  const analysedUpTo = buffer.head().changeSeq;
  buffer.storeAnalysis({ forecasts: [], scores: [], anomalies: [], analysedUpTo });
}

const fill = (windows: ReturnType<typeof createSlotWindows>, signal = new AbortController().signal) =>
  fillWindows(path(), { windows, tellDamage: () => undefined, clock: SLOW, signal });

test('all parts are of one moment, and the thread is heard between them', async () => {
  const windows = createSlotWindows();
  const { changeSeq } = buffer.head();
  let heard = 0;
  const hear = setInterval(() => (heard += 1), 0);
  const filled = fill(windows);
  analysed(SLOTS - 1, SLOTS, 900, SLOT_MS / 4); // a late reading, between two parts
  expect(await filled).toBe(changeSeq);
  clearInterval(hear);
  expect(heard).toBeGreaterThan(0);
  expect(windows.get(METER, END_MS)?.values.at(-1)).toBe(100);
  expect(await fill(windows)).toBeGreaterThan(changeSeq);
  expect(windows.get(METER, END_MS)?.values.at(-1)).toBeGreaterThan(100);
});

test('it ends between two parts when it is told to, and holds up no checkpoint', async () => {
  const ending = new AbortController();
  const filled = fill(createSlotWindows(), ending.signal);
  ending.abort();
  await expect(filled).rejects.toThrow();
  expect(checkpoint(path(), { truncate: true }).overdue).toBe(false);
});
