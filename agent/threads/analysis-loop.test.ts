import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSlotWindows, type SlotWindows } from '../../models/window/slot-windows.js';
import { until } from '../../tests/kit/until.js';
import { openBuffer, type Buffer as Storage } from '../buffer/buffer.js';
import { type BufferReader, openReader } from '../buffer/reader.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { seededRandom, systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import { createMetrics } from '../domain/metrics.js';
import type { BundleState } from '../domain/results.js';
import { SLOT_MS, WINDOW_SLOTS } from '../domain/slot.js';
import { parseTimeZone, type TimeZone } from '../domain/time-zone.js';
import { createForecasting, type Forecasting } from '../forecast/forecasting.js';
import { LEAST_SLOTS, scoreNewestSlot } from '../fraud/scoring.js';
import { createModelStore, type ModelStore } from '../model-store/store.js';
import { type Analysis, startAnalysis } from './analysis-loop.js';
import { fillWindows } from './fill-windows.js';
import type { FoundBundle, FoundResult } from './messages.js';
import { createProfiles } from './profiles.js';

const SHIPPED = fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url));
const LAST_SLOT = Math.floor(Date.now() / SLOT_MS) - 10;
const HONEST = 'honest' as MeterId;
const zone = parseTimeZone('UTC') as TimeZone;
const THIEF = 'thief' as MeterId;

let dir = '';
let buffer: Storage;
let reader: BufferReader;
let analysis: Analysis;
let windows: SlotWindows;
let bundles: BundleState[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-analysis-'));
  bundles = [];
  const path = join(dir, 'buffer.sqlite');
  const bounds = {
    slotGraceMs: 0,
    maxRejected: 100,
    maxRejectedBytes: 1e6,
    retentionMs: 90 * 86_400_000,
    keepUnsettled: false,
  };
  buffer = openBuffer({ ...bounds, path, clock: systemClock, log: silentLogger });
  reader = openReader(path);
});
afterEach(async () => {
  await analysis?.stop();
  reader.close();
  buffer.close();
  await rm(dir, { recursive: true });
});

/** As the companion composes it, with the writer in the same thread. */
function start(
  fault: {
    readonly forecasting?: (real: Forecasting) => Forecasting;
    readonly models?: (real: ModelStore) => ModelStore;
  } = {},
): void {
  windows = createSlotWindows();
  const tellDamage = (cause: string): never => {
    throw new Error(cause);
  };
  const clock = systemClock;
  const post = (message: FoundResult | FoundBundle): void => {
    if (message.kind === 'bundle') {
      bundles.push(message.bundle);
      return;
    }
    buffer.storeAnalysis(message.result);
    analysis.stored(message.result.analysedUpTo);
  };
  const forecasting = createForecasting(windows);
  const options = { dir: join(dir, 'models'), shippedDir: SHIPPED, trustedKeys: [], log: silentLogger };
  const models = createModelStore(options);
  analysis = startAnalysis({
    reader,
    windows,
    fill: (signal) => fillWindows(join(dir, 'buffer.sqlite'), { windows, tellDamage, clock, signal }),
    profiles: createProfiles({ reader, windows, clock }),
    forecasting: fault.forecasting?.(forecasting) ?? forecasting,
    score: (slot, model) => scoreNewestSlot(slot, model, { threshold: 0.6, language: 'en', zone }),
    models: fault.models?.(models) ?? models,
    post,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    metrics: createMetrics(),
  });
}

/** A household with a morning and an evening; nothing random. */
const powerW = (slot: number): number =>
  180 + 60 * (slot % 5) + 500 * Math.max(0, Math.sin((slot / 288) * 4 * Math.PI)) ** 2;

function publish(meter: MeterId, slots: readonly number[], watts: (slot: number) => number = powerW): void {
  const readings = slots.map((slot) => {
    const takenAtMs = epochMs(slot * SLOT_MS + SLOT_MS / 2);
    return { meter, takenAtMs, timeSource: 'meter' as const, receivedAtMs: takenAtMs, powerW: watts(slot), flags: 0 };
  });
  buffer.commit({ readings, rejected: [] });
  while (buffer.closeSlots(systemClock.now(), 1_000).more);
  analysis?.wake();
}

const slotsUpTo = (last: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => last - count + 1 + index);
const unscored = (meter: MeterId): number[] =>
  reader
    .slotsOf(meter, epochMs(0), epochMs(Date.now()))
    .flatMap((slot) => (slot.scoreE4 === null ? [slot.slotStartMs / SLOT_MS] : []));
const isIdle = (): boolean => reader.slotsToAnalyse(reader.analysedUpTo(), 1).slots.length === 0;
const lastForecast = (meter: MeterId) => reader.latestForecast(meter)?.issuedSlotMs;

test('history is scored whole and forecast once, at its end', async () => {
  publish(HONEST, slotsUpTo(LAST_SLOT, 3 * WINDOW_SLOTS));
  start();
  await until('a forecast is stored', () => lastForecast(HONEST) === (LAST_SLOT + 1) * SLOT_MS);
  const slots = reader.slotsOf(HONEST, epochMs(0), epochMs(Date.now()));
  expect(slots).toHaveLength(3 * WINDOW_SLOTS);
  // The first day is the past that everything else is compared with.
  expect(slots.filter((slot) => slot.scoreE4 === null)).toHaveLength(LEAST_SLOTS - 1);
  expect(reader.totals().forecasts).toBe(1);
  const steps = reader.latestForecast(HONEST)?.steps ?? [];
  expect(steps.length).toBeGreaterThanOrEqual(12);
  for (const { lowW, medianW, highW } of steps) expect(lowW <= medianW && medianW <= highW).toBe(true);
});

test('a meter that is bypassed is found, with a sentence; the honest one is not', async () => {
  const slots = slotsUpTo(LAST_SLOT, 2 * WINDOW_SLOTS);
  publish(HONEST, slots);
  publish(THIEF, slots, (slot) => powerW(slot) * (slot > LAST_SLOT - 24 ? 0.03 : 1));
  start();
  await until('everything is analysed', () => reader.totals().forecasts === 2 && isIdle());
  const found = reader.anomalies({ limit: 1_000 });
  expect(new Set(found.map((anomaly) => anomaly.meter))).toEqual(new Set([THIEF]));
  expect(found[0]).toMatchObject({ type: 'low_consumption', modelVersion: 'default-1' });
  expect(found[0]?.sentence).toMatch(/\d/);
});

test('the next slot alone is analysed next; after a restart nothing is analysed again', async () => {
  publish(HONEST, slotsUpTo(LAST_SLOT - 1, WINDOW_SLOTS));
  start();
  await until('the first forecast', () => lastForecast(HONEST) === LAST_SLOT * SLOT_MS);
  publish(HONEST, [LAST_SLOT]);
  await until('the second forecast', () => lastForecast(HONEST) === (LAST_SLOT + 1) * SLOT_MS);
  await until('nothing is left', isIdle);
  const { changeSeq } = reader.head();
  await analysis.stop();
  start();
  await until('a model serves again', () => bundles.length === 2);
  analysis.wake();
  await until('nothing is left', isIdle);
  expect(reader.head().changeSeq).toBe(changeSeq);
});

test('a late reading makes a new forecast from the corrected window', async () => {
  const slots = slotsUpTo(LAST_SLOT, WINDOW_SLOTS);
  publish(
    HONEST,
    slots.filter((slot) => slot !== LAST_SLOT - 3),
  );
  start();
  await until('the first forecast', () => lastForecast(HONEST) === (LAST_SLOT + 1) * SLOT_MS);
  const before = reader.latestForecast(HONEST)?.steps[0]?.medianW;
  publish(HONEST, [LAST_SLOT - 3], () => 3_000);
  await until('another forecast', () => reader.latestForecast(HONEST)?.steps[0]?.medianW !== before);
});

test('a backlog that comes after the live reading is scored, each slot on its own past', async () => {
  publish(HONEST, slotsUpTo(LAST_SLOT - 101, 2 * WINDOW_SLOTS));
  start();
  await until('the history is analysed', isIdle);
  publish(HONEST, [LAST_SLOT]);
  await until('the live slot is analysed', isIdle);
  publish(HONEST, slotsUpTo(LAST_SLOT - 1, 100));
  await until('the backlog is analysed', isIdle);
  // The first day, and the live slot: when it was scored, too much of its day was missing.
  expect(unscored(HONEST)).toEqual([
    ...slotsUpTo(LAST_SLOT - 101, 2 * WINDOW_SLOTS).slice(0, LEAST_SLOTS - 1),
    LAST_SLOT,
  ]);
});

test('a forecast that fails withholds no score, and is made later', async () => {
  publish(HONEST, slotsUpTo(LAST_SLOT, WINDOW_SLOTS + 20));
  let failures = 0;
  let scoredBefore: number | undefined;
  start({
    forecasting: (real) => ({
      ...real,
      async forecast(...given) {
        if (failures++ === 0) throw new Error('no memory');
        scoredBefore = WINDOW_SLOTS + 20 - unscored(HONEST).length;
        return await real.forecast(...given);
      },
    }),
  });
  await until('a forecast is stored', () => lastForecast(HONEST) === (LAST_SLOT + 1) * SLOT_MS);
  expect(scoredBefore).toBe(WINDOW_SLOTS + 20 - LEAST_SLOTS + 1);
});

test('without a model it starts, says once what was refused, and begins when one serves', async () => {
  publish(HONEST, slotsUpTo(LAST_SLOT, 3 * WINDOW_SLOTS));
  let attempts = 0;
  const refused = {
    state: 'refused',
    version: 'shipped',
    code: 'bundle.golden_mismatch',
    detail: 'other numbers',
  } as const;
  start({
    models: (real) => ({
      ...real,
      async load() {
        attempts += 1;
        if (attempts === 1) return { loaded: undefined, refused: [refused] };
        if (attempts === 2) throw new Error('EIO');
        return attempts === 3 ? { loaded: undefined, refused: [refused] } : await real.load();
      },
    }),
  });
  await until('the refusal is told', () => bundles.length === 1);
  expect(bundles).toEqual([refused]);
  analysis.wake();
  analysis.bundleArrived();
  await until('a forecast is stored', () => lastForecast(HONEST) === (LAST_SLOT + 1) * SLOT_MS);
  expect(bundles.map(({ state }) => state)).toEqual(['refused', 'active']);
  await until('it knows what is usual', () => windows.history(HONEST)?.profileMedian.some(Number.isFinite));
});
