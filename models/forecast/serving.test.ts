import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { PROFILE_DAYS, seasonalProfile } from '../window/seasonal-profile.js';
import { createSlotWindows } from '../window/slot-windows.js';
import { createEncoder } from './features.js';
import { horizonsFor, slotsPerDay } from './horizons.js';
import { createSeriesHistory } from './series-history.js';

const METER = 'home-1' as MeterId;

test.each([5, 15, 30, 60])(
  'training and serving see the same numbers in the same slots of %i minutes',
  (slotMinutes) => {
    const slotMs = slotMinutes * 60_000;
    const perDay = slotsPerDay(slotMinutes);
    const shape = { slotMinutes, horizons: horizonsFor(slotMinutes) };
    const random = seededRandom(slotMinutes);
    const startMs = epochMs(Date.UTC(2024, 2, 1));
    const powerW = Float32Array.from({ length: 40 * perDay }, () =>
      random() < 0.02 ? Number.NaN : Math.fround(100 + 3_000 * random() ** 4),
    );
    const series = { meter: METER, startMs, powerW };
    const trained = createSeriesHistory(series, shape);
    const encoder = createEncoder(shape);
    const windows = createSlotWindows(slotMs);
    let profiled = 0;
    let compared = 0;
    for (let slot = 0; slot < powerW.length; slot++) {
      const day = Math.floor(slot / perDay);
      if (slot % perDay === 0 && day >= PROFILE_DAYS) {
        const days = powerW.subarray((day - PROFILE_DAYS) * perDay, day * perDay);
        // A meter's profile is made on the first slot of its day, once it is there.
        windows.put(METER, epochMs(startMs + slot * slotMs), powerW[slot] as number);
        windows.putProfile(METER, seasonalProfile(days, perDay));
        profiled = day;
      }
      windows.put(METER, epochMs(startMs + slot * slotMs), powerW[slot] as number);
      const origin = slot + 1;
      // On the last slot of a day the gateway still has the profile of the day that ends.
      if (profiled !== Math.floor(origin / perDay) || origin % 7 !== 0 || Number.isNaN(powerW[slot])) continue;
      const served = windows.history(METER);
      expect(served).toBeDefined();
      if (served === undefined) continue;
      expect(encoder.encode([served])).toEqual(encoder.encode([trained.at(origin)]));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(20);
  },
);

test('what a forecast rests on does not change when the future does', () => {
  const shape = { slotMinutes: 30, horizons: horizonsFor(30) };
  const random = seededRandom(3);
  const powerW = Float32Array.from({ length: 40 * 48 }, () => 2_000 * random() ** 3);
  const origin = 35 * 48 + 17;
  const other = powerW.map((value, slot) => (slot < origin ? value : 9_999));
  const startMs = epochMs(Date.UTC(2024, 2, 1));
  const encode = (values: Float32Array) =>
    createEncoder(shape).encode([createSeriesHistory({ meter: METER, startMs, powerW: values }, shape).at(origin)]);
  expect(encode(other)).toEqual(encode(powerW));
});

test('what was written into the rooms of the encoder is read there, beside histories that stand elsewhere', () => {
  const random = seededRandom(11);
  const windows = createSlotWindows();
  const slots = 9 * WINDOW_SLOTS;
  const meters = Array.from({ length: 40 }, (_, index) => `home-${index}` as MeterId);
  for (const [index, meter] of meters.entries()) {
    // Gaps in every third, and another place in the ring for each.
    for (let slot = index; slot < slots + index; slot++) {
      if (index % 3 === 0 && random() < 0.05 && slot < slots) continue;
      windows.put(meter, epochMs(slot * SLOT_MS), 3_000 * random() ** 4);
    }
    const median = Float32Array.from({ length: WINDOW_SLOTS }, () => 1_000 * random());
    windows.putProfile(meter, { median, spread: median.map((watts) => watts / 2) });
  }
  const encoder = createEncoder({ slotMinutes: 5, horizons: horizonsFor(5) });
  const elsewhere = meters.flatMap((meter) => windows.history(meter) ?? []);
  const expected = encoder.encode(elsewhere);
  const written = meters.flatMap((meter, index) => windows.history(meter, { room: encoder.rooms[index] }) ?? []);
  expect(written.map(({ window }) => window.values)).toEqual(encoder.rooms.slice(0, 40).map(({ values }) => values));
  expect(encoder.encode(written)).toEqual(expected);
  expect(
    encoder.encode(written.map((history, index) => (index % 4 === 1 ? (elsewhere[index] ?? history) : history))),
  ).toEqual(expected);
  // The week before a window may be another meter's.
  const mixed = written.map((history, index) => ({ ...history, past: written[(index + 1) % 40]?.past }));
  const apart = elsewhere.map((history, index) => ({ ...history, past: elsewhere[(index + 1) % 40]?.past }));
  expect(encoder.encode(mixed)).toEqual(encoder.encode(apart));
});
