import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createSlotWindows } from './slot-windows.js';

const METER = 'm-1' as MeterId;
const FIRST = 5_700_000;
const at = (slot: number) => epochMs((FIRST + slot) * SLOT_MS);

test('a window ends with the newest slot and has gaps where nothing came', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), 100);
  windows.put(METER, at(3), 400);
  const window = windows.get(METER);
  expect(window?.endMs).toBe(at(4));
  expect(window?.present).toBe(2);
  expect(Array.from(window?.values.slice(-4) ?? [])).toEqual([100, Number.NaN, Number.NaN, 400]);
  expect(window?.values.length).toBe(WINDOW_SLOTS);
});

test('late and repeated slots find their place, too old ones are ignored', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(WINDOW_SLOTS), 1);
  windows.put(METER, at(1), 2);
  windows.put(METER, at(0), 3);
  windows.put(METER, at(1), 4);
  const window = windows.get(METER);
  expect(window?.values[0]).toBe(4);
  expect(window?.present).toBe(2);
});

test('a window may end with an older slot: nothing newer is in it, and a backlog of a day has the day before it', () => {
  const windows = createSlotWindows();
  for (let slot = 0; slot < 3 * WINDOW_SLOTS; slot++) windows.put(METER, at(slot), slot);
  const newest = 3 * WINDOW_SLOTS - 1;
  const day = windows.get(METER, at(newest - WINDOW_SLOTS + 1));
  expect(day?.endMs).toBe(at(newest - WINDOW_SLOTS + 1));
  expect(day?.present).toBe(WINDOW_SLOTS);
  expect(day?.values.at(-1)).toBe(newest - WINDOW_SLOTS);
  // What has left the ring is missing, and a window that would end there is none.
  expect(windows.get(METER, at(newest - WINDOW_SLOTS))?.present).toBe(WINDOW_SLOTS - 1);
  expect(windows.get(METER, at(newest - 2 * WINDOW_SLOTS + 1))).toBeUndefined();
  expect(windows.get(METER, at(newest + 2))).toBeUndefined();
});

test('no window ends with a slot that is missing', () => {
  const windows = createSlotWindows();
  windows.put(METER, at(0), 1);
  windows.put(METER, at(2), 1);
  expect(windows.get(METER, at(2))).toBeUndefined();
  expect(windows.get(METER, at(1))?.present).toBe(1);
});

test('a jump over more than a window leaves nothing of the old one', () => {
  const windows = createSlotWindows();
  for (let slot = 0; slot < WINDOW_SLOTS; slot++) windows.put(METER, at(slot), slot);
  windows.put(METER, at(3 * WINDOW_SLOTS), 7);
  expect(windows.get(METER)?.present).toBe(1);
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
