import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { PROFILE_LEAST_DAYS, seasonalProfile } from './seasonal-profile.js';
import { createRoom, createSlotWindows, knowsAtLeast, type SlotWindow } from './slot-windows.js';

const METER = 'm-1' as MeterId;
const FIRST = 5_700_000;
const at = (slot: number) => epochMs((FIRST + slot) * SLOT_MS);
const known = (values: Float32Array | undefined) => values?.filter((watts) => !Number.isNaN(watts)).length;

test('a window ends with the newest slot and has gaps where nothing came', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), 100);
  windows.put(METER, at(3), 400);
  const window = windows.get(METER);
  expect(window?.endMs).toBe(at(4));
  expect(known(window?.values)).toBe(2);
  expect(Array.from(window?.values.slice(-4) ?? [])).toEqual([100, Number.NaN, Number.NaN, 400]);
  expect(window?.values.length).toBe(WINDOW_SLOTS);
});

test('late and repeated slots find their place, too old ones are ignored', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(WINDOW_SLOTS), 1);
  windows.put(METER, at(1), 2);
  windows.put(METER, at(-8 * WINDOW_SLOTS), 3);
  windows.put(METER, at(1), 4);
  const window = windows.get(METER);
  expect(window?.values[0]).toBe(4);
  expect(known(window?.values)).toBe(2);
});

test('a window may end with an older slot: nothing newer is in it, and a backlog of a day has its week before it', () => {
  const windows = createSlotWindows();
  const ring = 8 * WINDOW_SLOTS;
  for (let slot = 0; slot < 2 * ring; slot++) windows.put(METER, at(slot), slot);
  const newest = 2 * ring - 1;
  const backlog = windows.history(METER, { endMs: at(newest + 1 - WINDOW_SLOTS) });
  expect(backlog?.window.endMs).toBe(at(newest + 1 - WINDOW_SLOTS));
  expect(known(backlog?.window.values)).toBe(WINDOW_SLOTS);
  expect(backlog?.window.values.at(-1)).toBe(newest - WINDOW_SLOTS);
  // Of the week before it the oldest day has left the memory.
  expect(known(backlog?.past)).toBe(6 * WINDOW_SLOTS);
  // What has left the memory is missing, and a window that would end there is none.
  expect(known(windows.get(METER, at(newest - 7 * WINDOW_SLOTS))?.values)).toBe(WINDOW_SLOTS - 1);
  expect(windows.get(METER, at(newest - ring + 1))).toBeUndefined();
  expect(windows.get(METER, at(newest + 2))).toBeUndefined();
});

test('before the window stand the slots that came before it, and of each coming one that of the week before is among them', () => {
  const windows = createSlotWindows();
  for (let slot = 0; slot < 9 * WINDOW_SLOTS; slot++) if (slot % 7 !== 3) windows.put(METER, at(slot), slot);
  const end = 8 * WINDOW_SLOTS;
  const { window, past } = windows.history(METER, { endMs: at(end) }) ?? {};
  expect(window?.endMs).toBe(at(end));
  const expected = Array.from({ length: 7 * WINDOW_SLOTS }, (_, slot) => (slot % 7 === 3 ? Number.NaN : slot));
  // One day has left the memory.
  expect(Array.from(past ?? [])).toEqual(expected.map((slot) => (slot < WINDOW_SLOTS ? Number.NaN : slot)));

  const hourly = createSlotWindows(3_600_000);
  for (let slot = 0; slot < 600; slot++) hourly.put(METER, epochMs((FIRST + slot) * 3_600_000), slot);
  const hours = hourly.history(METER, { endMs: epochMs((FIRST + 590) * 3_600_000) })?.past ?? new Float32Array(0);
  expect([hours.length, hours.at(-1), known(hours)]).toEqual([WINDOW_SLOTS, 301, 278]);
});

test('a history is written into the room that it is given, and nothing of the one before stays in it', () => {
  const windows = createSlotWindows();
  const other = 'other' as MeterId;
  for (let slot = 0; slot < 9 * WINDOW_SLOTS; slot++) windows.put(METER, at(slot), 1 + slot);
  windows.put(other, at(9 * WINDOW_SLOTS), 7);
  const room = createRoom(WINDOW_SLOTS);
  const written = windows.history(METER, { room });
  expect(written?.window.values).toBe(room.values);
  expect([written?.past, written?.profileMedian, written?.profileSpread]).toEqual([
    room.slots.subarray(0, 7 * WINDOW_SLOTS),
    room.profile.subarray(0, WINDOW_SLOTS),
    room.profile.subarray(WINDOW_SLOTS),
  ]);
  expect(windows.history(other, { room })).toEqual(windows.history(other));
});

test('a profile stays until there is another, and an unknown meter has none', () => {
  const windows = createSlotWindows();
  windows.putProfile(METER, seasonalProfile(new Float32Array(WINDOW_SLOTS * 28).fill(3), WINDOW_SLOTS));
  windows.put(METER, at(0), 1);
  expect(windows.history(METER)?.profileMedian.every(Number.isNaN)).toBe(true);
  const days = Float32Array.from(
    { length: 28 * WINDOW_SLOTS },
    (_, n) => (n % WINDOW_SLOTS) + Math.floor(n / WINDOW_SLOTS),
  );
  windows.putProfile(METER, seasonalProfile(days, WINDOW_SLOTS));
  windows.put(METER, at(1), 1);
  const { profileMedian, profileSpread } = windows.history(METER) ?? {};
  expect([profileMedian?.[0], profileMedian?.[287], profileSpread?.[0]]).toEqual([13.5, 300.5, 7]);
});

test('of too few days there is no profile', () => {
  const days = new Float32Array(28 * 24).fill(Number.NaN);
  for (let day = 0; day < PROFILE_LEAST_DAYS; day++) days[day * 24 + 5] = day;
  for (let day = 0; day < PROFILE_LEAST_DAYS - 1; day++) days[day * 24 + 6] = day;
  const { median, spread } = seasonalProfile(days, 24);
  expect([median[5], spread[5], median[6], spread[6]]).toEqual([1, 1, Number.NaN, Number.NaN]);
});

test.each([5, 15, 30, 60])('slots of %i minutes: at most 12 KB of each meter', (minutes) => {
  const windows = createSlotWindows(minutes * 60_000);
  for (let meter = 0; meter < 640; meter++) windows.put(`m-${meter}` as MeterId, at(0), meter);
  expect(windows.bytes / 640).toBeLessThanOrEqual(12 * 1_024);
  expect(windows.get('m-99' as MeterId)?.values.at(-1)).toBe(99);
});

test('a window says whether it knows enough, wherever in it that is', () => {
  const values = new Float32Array(WINDOW_SLOTS).fill(Number.NaN);
  values.fill(5, 100, 112);
  const window: SlotWindow = { endMs: at(0), values };
  expect([0, 11, 12, 13].map((slots) => knowsAtLeast(window, slots))).toEqual([true, true, true, false]);
});

test('no window ends with a slot that is missing', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), 1);
  windows.put(METER, at(2), 1);
  expect(windows.get(METER, at(2))).toBeUndefined();
  expect(known(windows.get(METER, at(1))?.values)).toBe(1);
});

test('a jump over more than a window leaves nothing of the old one', () => {
  const windows = createSlotWindows();
  for (let slot = 0; slot < WINDOW_SLOTS; slot++) windows.put(METER, at(slot), slot);
  windows.put(METER, at(10 * WINDOW_SLOTS), 7);
  expect(known(windows.get(METER)?.values)).toBe(1);
  expect(windows.get(METER, at(WINDOW_SLOTS))).toBeUndefined();
});

test('what is not a number is no slot, and an unknown meter has no window', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), Number.NaN);
  windows.put(METER, at(0), Number.POSITIVE_INFINITY);
  expect(windows.get(METER)).toBeUndefined();
  expect(windows.size).toBe(0);
});

test('a window taken before does not change with later puts', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), 1);
  const window = windows.get(METER);
  windows.put(METER, at(0), 2);
  expect(window?.values.at(-1)).toBe(1);
});

test('whatever the order, the ring holds what a plain list of the last 288 slots holds', () => {
  const puts = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: -50, max: 9_000 })), {
    minLength: 1,
    maxLength: 400,
  });
  fc.assert(
    fc.property(puts, (list) => {
      const windows = createSlotWindows();
      const plain = new Map<number, number>();
      let newest = -1;
      for (const [slot, watts] of list) {
        windows.put(METER, at(slot), watts);
        newest = Math.max(newest, slot);
        if (slot > newest - WINDOW_SLOTS) plain.set(slot, watts);
      }
      const expected = Array.from(
        { length: WINDOW_SLOTS },
        (_, index) => plain.get(newest - WINDOW_SLOTS + 1 + index) ?? Number.NaN,
      );
      expect(Array.from(windows.get(METER)?.values ?? [])).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
