import { afterEach, beforeEach, expect, test } from 'vitest';
import { SLOT_WIDTHS_MINUTES } from '../domain/slot.js';
import { at, type Bench, createBench, meterId, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;

test.each(SLOT_WIDTHS_MINUTES)(
  'slots of %i minutes: energy, coverage and start are those of the width',
  (slotMinutes) => {
    const buffer = bench.open({ slotMinutes });
    const readings = Array.from({ length: 241 }, (_, minute) =>
      reading('m', minute * MINUTE, { powerW: 600, importWh: 10 * minute }),
    );
    buffer.commit({ readings, rejected: [] });
    while (buffer.closeSlots(at(10 * 3_600_000), 100).more);
    const reader = bench.reader();
    const slots = reader.slotsOf(meterId('m'), at(0), at(240 * MINUTE));
    expect(reader.slotMs).toBe(slotMinutes * MINUTE);
    expect(slots).toHaveLength(240 / slotMinutes);
    for (const [index, slot] of slots.entries()) {
      expect(slot).toMatchObject({
        slotStartMs: at(index * slotMinutes * MINUTE),
        slotMinutes,
        energyMwh: 10_000 * slotMinutes,
        meanPowerDw: 6_000,
        count: slotMinutes,
        coveragePm: 1_000,
        flags: 0,
      });
    }
  },
);

test('a file keeps its width: another one is an error that says what to do', () => {
  bench.open({ slotMinutes: 15 }).close();
  expect(() => bench.open({ slotMinutes: 30 })).toThrow(
    expect.objectContaining({ code: 'buffer.slot_width', message: expect.stringContaining('15 minutes') }),
  );
  expect(() => bench.open({ slotMinutes: 15 }).close()).not.toThrow();
});
