import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readBundle } from '../../models/bundle/read.js';
import type { SlotWindow } from '../../models/window/slot-windows.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../domain/slot.js';
import { parseTimeZone, type TimeZone } from '../domain/time-zone.js';
import { LEAST_SLOTS, scoreNewestSlot } from './scoring.js';

const bundle = await readBundle(fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url)));
const METER = 'm1' as MeterId;
const END = epochMs(1_768_478_400_000);

/** The last `present` slots of a household whose load has a rhythm of an hour, seen through `watts`. */
function windowOf(present: number, watts: (slot: number) => number): SlotWindow {
  const values = new Float32Array(WINDOW_SLOTS).fill(Number.NaN);
  for (let slot = WINDOW_SLOTS - present; slot < WINDOW_SLOTS; slot++) values[slot] = watts(slot);
  return { endMs: END, values };
}
const usual = (slot: number): number => 200 + 40 * (slot % 12);
const scored = (window: SlotWindow, threshold = 0.6, zone = parseTimeZone('UTC') as TimeZone) =>
  scoreNewestSlot({ meter: METER, slotStartMs: epochMs(END - SLOT_MS), window, expectedW: undefined }, bundle, {
    threshold,
    language: 'en',
    zone,
  });

test('a meter whose first day has not passed is not scored', () => {
  expect(scored(windowOf(LEAST_SLOTS - 1, usual))).toBeUndefined();
  expect(scored(windowOf(LEAST_SLOTS, usual))).toBeDefined();
});

test('every slot gets a score of the slot that the window ends with; only a high one is an anomaly', () => {
  const honest = scored(windowOf(WINDOW_SLOTS, usual));
  expect(honest?.score).toMatchObject({ meter: METER, slotStartMs: END - SLOT_MS, modelVersion: bundle.version });
  expect(honest?.score.score).toBeLessThan(0.6);
  expect(honest?.anomaly).toBeUndefined();

  const stopped = scored(windowOf(WINDOW_SLOTS, (slot) => (slot >= WINDOW_SLOTS - 24 ? 0 : usual(slot))));
  expect(stopped?.score.score).toBeGreaterThanOrEqual(0.6);
  expect(stopped?.anomaly).toMatchObject({ ...stopped?.score, type: 'low_consumption', actualWh: 0 });
  expect(stopped?.anomaly?.sentence).not.toBe('');
});

test('the threshold decides', () => {
  const window = windowOf(WINDOW_SLOTS, usual);
  const score = scored(window)?.score.score ?? 0;
  expect(scored(window, score)?.anomaly).toBeDefined();
  expect(scored(window, score + 1e-9)?.anomaly).toBeUndefined();
});

test('an anomaly keeps what the founding documents scored by, at the local hour; weather is not known and left out', () => {
  const window = windowOf(WINDOW_SLOTS, (slot) => (slot >= WINDOW_SLOTS - 24 ? 0 : usual(slot)));
  const utc = scored(window)?.anomaly?.circumstances;
  // The slot from 11:55 on a Thursday.
  expect(utc).toMatchObject({ mean1hW: 0, ratioToMean: 0, hour: 11, weekday: 3, weekend: false });
  expect(utc?.['mean24hW']).toBeCloseTo(420 * (1 - 24 / WINDOW_SLOTS), 1);
  expect(utc?.['deviation24hW']).toBeGreaterThan(100);
  expect(Object.keys(utc ?? {})).toHaveLength(7);
  const samoa = scored(window, 0.6, parseTimeZone('+13:00') as TimeZone)?.anomaly?.circumstances;
  expect(samoa).toMatchObject({ hour: 0, weekday: 4 });
});

test('slots of half an hour keep the figures of a day as well, not of the whole window', () => {
  const wide = { ...bundle, manifest: { ...bundle.manifest, slotMinutes: 30 } };
  const window = windowOf(WINDOW_SLOTS, (slot) => (slot < WINDOW_SLOTS - 48 ? 900 : 0));
  const zone = parseTimeZone('UTC') as TimeZone;
  const slot = { meter: METER, slotStartMs: epochMs(END - 6 * SLOT_MS), window, expectedW: undefined };
  const found = scoreNewestSlot(slot, wide, { threshold: 0, language: 'en', zone });
  // Of nothing there is no ratio.
  expect(found?.anomaly?.circumstances).toEqual({
    mean1hW: 0,
    mean24hW: 0,
    deviation24hW: 0,
    hour: 11,
    weekday: 3,
    weekend: false,
  });
});
