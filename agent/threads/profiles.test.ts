import { expect, test } from 'vitest';
import { createSlotWindows } from '../../models/window/slot-windows.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { DAY_MS, SLOT_MS } from '../domain/slot.js';
import { createProfiles } from './profiles.js';

test('each meter gets its profile of the 28 days before today, a few at a time, and once a day', () => {
  const windows = createSlotWindows();
  const meters = Array.from({ length: 12 }, (_, n) => `m-${n}` as MeterId);
  let today = 20_000;
  for (const meter of meters) windows.put(meter, epochMs(today * DAY_MS), 1);
  const asked: string[] = [];
  const reader = {
    loadOf(meter: MeterId, fromDay: number, toDay: number) {
      asked.push(`${meter} ${fromDay} ${toDay}`);
      return new Float32Array(((toDay - fromDay) * DAY_MS) / SLOT_MS).fill(today);
    },
  };
  const profiles = createProfiles({ reader, windows, clock: { now: () => epochMs(today * DAY_MS + 5) } });
  const steps = (): boolean[] => {
    const more = [profiles.step()];
    while (more.at(-1) === true) more.push(profiles.step());
    return more;
  };
  expect(steps()).toEqual([true, true, false]);
  expect(asked).toEqual(meters.map((meter) => `${meter} 19972 20000`));
  expect(steps()).toEqual([false]);
  expect(asked).toHaveLength(12);
  expect(windows.history(meters[11] as MeterId)?.profileMedian[100]).toBe(20_000);
  today += 1;
  steps();
  expect(asked).toHaveLength(24);
  expect(windows.history(meters[0] as MeterId)?.profileMedian[100]).toBe(20_001);
});
