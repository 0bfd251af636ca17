import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bench, createBench } from '../../agent/buffer/test-kit.js';
import { epochMs } from '../../agent/domain/brand.js';
import { DAY_MS } from '../../agent/domain/slot.js';
import { createFleet } from './fleet.js';
import { writeIntoBuffer } from './into-buffer.js';

const FROM_MS = Date.UTC(2026, 2, 2);
const DAYS = 3;
const TO_MS = FROM_MS + DAYS * DAY_MS;

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const write = (slotMinutes: 5 | 30, signal = new AbortController().signal) => {
  const meters = createFleet({ customers: 4, feeders: 2, seed: 3, fromMs: FROM_MS });
  const options = {
    path: bench.path,
    meters,
    slotMinutes,
    fromMs: FROM_MS,
    toMs: TO_MS,
    signal,
    onProgress: () => undefined,
  };
  return writeIntoBuffer(options).then(({ days }) => ({ meters, days }));
};

test.each([5, 30] as const)(
  'slots of %i minutes: every meter has every slot, and they add up to its register',
  async (minutes) => {
    const { meters, days } = await write(minutes);
    expect(days).toBe(DAYS * meters.length);
    const reader = bench.reader();
    expect(reader.meters().map(({ id }) => id)).toEqual(meters.map(({ id }) => id).sort());
    for (const meter of meters) {
      const slots = reader.slotsOf(meter.id, epochMs(FROM_MS), epochMs(TO_MS));
      expect(slots.length).toBe((DAYS * 1_440) / minutes);
      const energyWh = slots.reduce((sum, { energyMwh }) => sum + energyMwh, 0) / 1_000;
      expect(energyWh).toBeCloseTo(meter.countedWh(TO_MS) - meter.countedWh(FROM_MS), 2);
      for (const { minPowerDw, meanPowerDw, maxPowerDw, coveragePm } of slots) {
        expect(minPowerDw <= meanPowerDw && meanPowerDw <= maxPowerDw && coveragePm === 1_000).toBe(true);
      }
    }
  },
);

test('a gateway goes on from there: what comes next counts from the register at the end', async () => {
  const [meter] = (await write(5)).meters;
  if (meter === undefined) throw new Error('a meter');
  bench.clock.set(TO_MS + 60_000);
  const buffer = bench.open();
  const reading = (atMs: number) => ({
    meter: meter.id,
    takenAtMs: epochMs(atMs),
    timeSource: 'meter' as const,
    receivedAtMs: epochMs(atMs),
    importWh: meter.at(atMs).import_wh,
    flags: 0,
  });
  buffer.commit({ readings: [1, 2, 3, 4, 5, 6].map((minute) => reading(TO_MS + minute * 60_000)), rejected: [] });
  buffer.closeSlots(epochMs(TO_MS + 20 * 60_000), 100);
  const [first] = bench.reader().slotsOf(meter.id, epochMs(TO_MS), epochMs(TO_MS + 300_000));
  const energyWh = meter.countedWh(TO_MS + 300_000) - meter.countedWh(TO_MS);
  // The register is shown in tenths of a watt hour.
  expect(Math.abs((first?.energyMwh ?? Number.NaN) / 1_000 - energyWh)).toBeLessThan(0.3);
});

test('when it is stopped, whole days are there', async () => {
  const stopped = new AbortController();
  stopped.abort();
  expect((await write(5, stopped.signal)).days).toBe(0);
});
