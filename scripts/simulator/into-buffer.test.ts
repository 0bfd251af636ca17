import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bench, createBench } from '../../agent/buffer/test-kit.js';
import { epochMs } from '../../agent/domain/brand.js';
import { type Flag, flagsOf } from '../../agent/domain/flags.js';
import { DAY_MS } from '../../agent/domain/slot.js';
import type { Sample } from '../../agent/validate/feeds/feed.js';
import { RULES, sampleFeed } from '../../agent/validate/test-kit.js';
import { createValidator, type Publication } from '../../agent/validate/validator.js';
import { settingsSchema } from '../../config/schema.js';
import { createFleet, type SimulatedMeter } from './fleet.js';
import { writeIntoBuffer } from './into-buffer.js';
import type { Deed, Theft } from './thefts.js';

const FROM_MS = Date.UTC(2026, 2, 2);
const DAYS = 3;
const TO_MS = FROM_MS + DAYS * DAY_MS;
const HOUR_MS = 3_600_000;
const FLEET = { customers: 4, feeders: 2, seed: 3, fromMs: FROM_MS };

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const write = (slotMinutes: 5 | 30, signal = new AbortController().signal) => {
  const meters = createFleet(FLEET);
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

/** A meter whose tampering shows where it does: the flags and steps that a gateway makes of it, from its own readings. */
test.each([
  ['a cover that is opened', { kind: 'tamper_flag', share: 0.5 }, ['tamper']],
  ['a reversed phase', { kind: 'reversed_phase', phaseShare: 0.3 }, ['reversed']],
  ['a register that is set back', { kind: 'register_rollback', wh: 50_000 }, ['register_back', 'register_reset']],
  ['meters that change places', { kind: 'swapped_meters', with: 39 }, ['register_step', 'register_reset']],
  // What a fuse might carry in three minutes is taken for energy.
  ['meters that stand close together', { kind: 'swapped_meters', with: 3 }, ['register_step']],
] satisfies [string, Deed, Flag[]][])(
  '%s: slots are those of a gateway that got the readings',
  async (_, deed, flags) => {
    // In the morning, and shortly before midnight: what a gateway doubts then it doubts until the next day.
    for (const beginsMs of [FROM_MS + 8 * HOUR_MS + 847_000, FROM_MS + DAY_MS - 200_000]) {
      const thefts: readonly Theft[] = [{ customer: 0, fromMs: beginsMs, toMs: Number.POSITIVE_INFINITY, deed }];
      const [filled, stored] = await bothWays(createFleet({ ...FLEET, customers: 40, thefts }), FROM_MS + 2 * DAY_MS);
      const flagsAt = (slots: typeof filled) => slots.map((slot) => `${slot.slotStartMs}: ${flagsOf(slot.flags)}`);
      expect(flagsAt(filled)).toEqual(flagsAt(stored));
      // A reading shows its power within 2 %, and its register in tenths of a watt hour.
      const off = filled.map(({ energyMwh }, index) => Math.abs(energyMwh - (stored[index]?.energyMwh ?? 0)));
      expect(Math.max(...off)).toBeLessThan(250);
      expect(filled.flatMap((slot) => flagsOf(slot.flags))).toEqual(expect.arrayContaining(flags));
    }
  },
);

/** The same meter straight into a buffer, and as a gateway stores what it sends each minute. */
async function bothWays(meters: readonly SimulatedMeter[], toMs: number) {
  const [meter] = meters;
  if (meter === undefined) throw new Error('a meter');
  const [straight, received] = [createBench(), createBench()];
  try {
    const signal = new AbortController().signal;
    const options = { slotMinutes: 5 as const, fromMs: FROM_MS, toMs, signal, onProgress: () => undefined };
    await writeIntoBuffer({ ...options, path: straight.path, meters: [meter] });
    const buffer = received.open();
    const validator = createValidator({ ...RULES, ...DEFAULTS }, [sampleFeed], new Set());
    for (let dayMs = FROM_MS; dayMs <= toMs; dayMs += DAY_MS) {
      const readings = minutes(meter, dayMs, Math.min(dayMs + DAY_MS, toMs + 1));
      received.clock.set(dayMs + DAY_MS);
      buffer.commit({ readings: readings.flatMap((reading) => validator.validate([reading]).readings), rejected: [] });
    }
    buffer.closeSlots(epochMs(toMs + HOUR_MS), 10_000);
    const all = [epochMs(FROM_MS), epochMs(toMs)] as const;
    return [straight.reader().slotsOf(meter.id, ...all), received.reader().slotsOf(meter.id, ...all)] as const;
  } finally {
    straight.clean();
    received.clean();
  }
}

const { max_step_power_w: capW, register_tolerance_wh: registerToleranceWh } = settingsSchema.parse({}).validate;
const DEFAULTS = { capW, registerToleranceWh };

function minutes(meter: SimulatedMeter, fromMs: number, toMs: number): Publication[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / 60_000) }, (_, minute) => {
    const { reading, conditions } = meter.shown(fromMs + minute * 60_000);
    const receivedAtMs = epochMs(reading.ts);
    const values = { powerW: reading.power_w, importWh: reading.import_wh, voltageV: reading.voltage_v };
    const sample: Sample = { meter: meter.id, ownTimeMs: receivedAtMs, values, flags: conditions };
    return { topic: 'sample', payload: Buffer.from(JSON.stringify(sample)), repeated: false, receivedAtMs };
  });
}

test('when it is stopped, whole days are there', async () => {
  const stopped = new AbortController();
  stopped.abort();
  expect((await write(5, stopped.signal)).days).toBe(0);
});
