import { copyFileSync, renameSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Reading } from '../domain/reading.js';
import { SLOT_MS } from '../domain/slot.js';
import { SCALE, type StoredSlot } from '../domain/stored.js';
import { addReading, emptyAccumulator, type SlotValues, valuesOf } from './slot-accumulator.js';
import { at, type Bench, createBench, meterId, reading, START_MS } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
/** For what takes seconds on a machine of its own, and minutes beside others. */
const MUCH_WORK = { timeout: 300_000 };
const LONG_AFTER = at(30 * 86_400_000);

/** All slots of a set of readings, in the plainest way: distinct by meter and moment, the first one stands. */
function model(readings: readonly Reading[]): Map<string, SlotValues> {
  const slots = new Map<string, SlotValues>();
  for (const meter of new Set(readings.map((one) => one.meter))) {
    const distinct = new Map<number, Reading>();
    for (const one of readings) {
      if (one.meter === meter && !distinct.has(one.takenAtMs)) distinct.set(one.takenAtMs, one);
    }
    for (const [start, values] of slotsOfMeter([...distinct.values()])) slots.set(`${meter} ${start}`, values);
  }
  return slots;
}

function slotsOfMeter(readings: readonly Reading[]): Map<number, SlotValues> {
  const inTime = readings.toSorted((a, b) => a.takenAtMs - b.takenAtMs);
  const startOf = (one: Reading): number => Math.floor(one.takenAtMs / SLOT_MS) * SLOT_MS;
  const registers = inTime.filter((one) => one.importWh !== undefined);
  const slots = new Map<number, SlotValues>();
  for (let start = startOf(inTime[0] ?? reading('', 0)); start <= (inTime.at(-1)?.takenAtMs ?? 0); start += SLOT_MS) {
    const point = (one: Reading | undefined) =>
      one === undefined
        ? null
        : { atMs: one.takenAtMs - start, dwh: (one.importWh ?? 0) * 10, anew: false, raised: false, sealed: false };
    const slot = emptyAccumulator();
    for (const one of inTime.filter((each) => startOf(each) === start)) {
      addReading(slot, one.takenAtMs - start, {
        powerDw: SCALE.powerDw.pack(one.powerW),
        importDwh: SCALE.energyDwh.pack(one.importWh),
        voltageCv: SCALE.voltageCv.pack(one.voltageV),
        flags: one.flags,
      });
    }
    const before = point(registers.findLast((one) => one.takenAtMs < start));
    const after = point(registers.find((one) => one.takenAtMs >= start + SLOT_MS));
    // A slot without a reading is one only where the register tells what flowed in it.
    const told = before !== null && after !== null && after.dwh >= before.dwh;
    if (slot.times.length === 0 && !told) continue;
    const last = inTime.findLast((one) => startOf(one) === start - SLOT_MS);
    const lastMs = last === undefined || slot.times.length === 0 ? null : last.takenAtMs - start;
    const around = { slotMs: SLOT_MS, lastMs, before, after, registerMaxDwh: undefined };
    slots.set(start - START_MS, valuesOf(slot, around));
  }
  return slots;
}

/** A gap was filled, and then a late reading showed a reset in it: its slots stay, and say nothing. */
const told = (slots: ReadonlyMap<string, SlotValues>): Map<string, SlotValues> =>
  new Map([...slots].filter(([, { count, energyMwh }]) => count > 0 || energyMwh > 0));

const valuesIn = ({ changeSeq, revision, meter, slotStartMs, slotMinutes, ...rest }: StoredSlot): SlotValues => {
  const { scoreE4, rawScoreE4, modelVersion, ...values } = rest;
  return values;
};

function storedSlots(path = bench.path): Map<string, SlotValues> {
  const reader = bench.reader(path);
  const slots = reader.stream('slot', 0, 1_000_000);
  expect(reader.totals().slots).toBe(slots.length);
  reader.close();
  return new Map(slots.map((slot) => [`${slot.meter} ${slot.slotStartMs - START_MS}`, valuesIn(slot)]));
}

test('a slot closes at its end and the grace, not before', () => {
  const buffer = bench.open({ slotGraceMs: 60_000 });
  buffer.commit({ readings: [reading('a', 0), reading('a', 5 * MINUTE)], rejected: [] });
  expect(buffer.closeSlots(at(6 * MINUTE - 1), 10)).toEqual({ closed: 0, more: false, changeSeq: 0 });
  expect(buffer.closeSlots(at(6 * MINUTE), 10)).toEqual({ closed: 1, more: false, changeSeq: 1 });
  expect(buffer.closeSlots(at(6 * MINUTE), 10)).toEqual({ closed: 0, more: false, changeSeq: 1 });
});

test('meters that send often are waited for less, and close together although their intervals differ a little', () => {
  const buffer = bench.open({ slotGraceMs: 60_000 });
  const everyMs = { a: 10_000, b: 12_000, seldom: 50_000 };
  for (const [name, stepMs] of Object.entries(everyMs)) {
    const readings = Array.from({ length: (5 * MINUTE) / stepMs }, (_, index) => reading(name, index * stepMs));
    buffer.commit({ readings, rejected: [] });
  }
  expect(buffer.closeSlots(at(5 * MINUTE + 19_999), 10)).toMatchObject({ closed: 0 });
  expect(buffer.closeSlots(at(5 * MINUTE + 20_000), 10)).toMatchObject({ closed: 2 });
  expect(buffer.closeSlots(at(6 * MINUTE), 10)).toMatchObject({ closed: 1 });
});

test('a late reading revises its slot, and the next one when its energy begins elsewhere', () => {
  const buffer = bench.open();
  const register = (offsetMs: number, importWh: number) => reading('a', offsetMs, { importWh });
  buffer.commit({ readings: [register(0, 100), register(6 * MINUTE, 110), register(11 * MINUTE, 120)], rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  const reader = bench.reader();
  const slots = () =>
    reader.slotsOf(meterId('a'), at(0), LONG_AFTER).map((slot) => [slot.revision, slot.count, slot.energyMwh]);
  expect(slots()).toEqual([
    [1, 1, 8_300],
    [1, 1, 9_700],
    [1, 1, 2_000],
  ]);
  buffer.commit({ readings: [register(4 * MINUTE, 107)], rejected: [] });
  expect(buffer.closeSlots(LONG_AFTER, 10)).toMatchObject({ closed: 1 });
  expect(slots()).toEqual([
    [2, 2, 8_500],
    [2, 1, 9_500],
    [1, 1, 2_000],
  ]);
});

test('a late reading changes what the next slot is covered by, whether or not it says something of the register', () => {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 5 * MINUTE, { powerW: 60, importWh: 1 })], rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  const late = [reading('a', 2 * MINUTE, { voltageV: 230 })];
  buffer.commit({ readings: late, rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  const slots = storedSlots();
  expect(slots).toEqual(model([reading('a', 5 * MINUTE, { powerW: 60, importWh: 1 }), ...late]));
  expect(slots.get(`a ${5 * MINUTE}`)?.coveragePm).toBe(900);
});

test('energy that is found later is pushed again, but is no reason to analyse again', () => {
  const buffer = bench.open();
  const both = (minute: number) => reading('a', minute * MINUTE, { powerW: 60, importWh: minute });
  buffer.commit({ readings: [both(1), both(3)], rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  const reader = bench.reader();
  const scored = (score: number) => ({
    meter: meterId('a'),
    slotStartMs: at(0),
    score,
    rawScore: 0.5,
    modelVersion: 'v',
  });
  const { changeSeq: seen } = buffer.head();
  buffer.storeAnalysis({ forecasts: [], scores: [scored(0.1)], anomalies: [], analysedUpTo: seen });
  buffer.commit({ readings: [both(7)], rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  expect(reader.stream('slot', seen, 10)).toMatchObject([
    { slotStartMs: at(5 * MINUTE), energyMwh: 2_000 },
    { slotStartMs: at(0), energyMwh: 4_000, revision: 3, scoreE4: 1_000 },
  ]);
  expect(reader.slotsToAnalyse(seen, 10).slots.map(({ slotStartMs }) => slotStartMs)).toEqual([at(5 * MINUTE)]);
});

test('a repeat of a reading changes no slot, open or closed, also after opening again', () => {
  const buffer = bench.open();
  const first = reading('a', 1_000, { powerW: 100 });
  const conflicting = reading('a', 1_000, { powerW: 999 });
  buffer.commit({ readings: [first, conflicting], rejected: [] });
  buffer.closeSlots(LONG_AFTER, 10);
  buffer.commit({ readings: [conflicting], rejected: [] });
  expect(buffer.closeSlots(LONG_AFTER, 10).closed).toBe(0);
  buffer.close();
  const again = bench.open();
  again.commit({ readings: [conflicting], rejected: [] });
  expect(again.closeSlots(LONG_AFTER, 10).closed).toBe(0);
  expect(bench.reader().stream('slot', 0, 9)).toMatchObject([{ revision: 1, count: 1, meanPowerDw: 1_000 }]);
});

test('a week of history of 25 meters in one go closes in bounded steps', MUCH_WORK, () => {
  const buffer = bench.open();
  const history = Array.from({ length: 2_016 }, (_, slot) =>
    Array.from({ length: 25 }, (_unused, meter) => reading(`m${meter}`, slot * SLOT_MS + meter, { powerW: slot })),
  ).flat();
  for (let n = 0; n < history.length; n += 5_000)
    buffer.commit({ readings: history.slice(n, n + 5_000), rejected: [] });
  let calls = 0;
  for (let more = true; more; calls += 1) {
    const step = buffer.closeSlots(LONG_AFTER, 2_000);
    expect(step.closed).toBeLessThanOrEqual(2_000);
    more = step.more;
  }
  expect(calls).toBe(26);
  const reader = bench.reader();
  expect(reader.totals()).toMatchObject({ readings: 50_400, slots: 50_400 });
});

test('for the windows: a day of each meter up to its newest analysed slot, however much waits behind it', () => {
  const buffer = bench.open();
  const publish = (from: number, to: number): void => {
    const slots = Array.from({ length: to - from }, (_, n) => from + n);
    buffer.commit({ readings: slots.map((slot) => reading('m', slot * SLOT_MS, { powerW: slot })), rejected: [] });
    while (buffer.closeSlots(LONG_AFTER, 2_000).more);
  };
  const reader = bench.reader();
  const window = (): number[] => {
    const slots: number[] = [];
    Array.from(reader.readAnalysed(1, (_meter, slotStartMs) => slots.push((slotStartMs - START_MS) / SLOT_MS)));
    return slots.sort((a, b) => a - b);
  };
  const days = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

  publish(0, 400);
  expect(window()).toEqual([]);
  const { changeSeq } = reader.head();
  buffer.storeAnalysis({ forecasts: [], scores: [], anomalies: [], analysedUpTo: changeSeq });
  expect(window()).toEqual(days(112, 400));
  publish(400, 500); // less than a window waits
  expect(window()).toEqual(days(112, 400));
  publish(500, 1_000); // more than a window waits
  expect(window()).toEqual(days(112, 400));
});

test('far more old slots than fit in memory close by themselves', MUCH_WORK, () => {
  bench.clock.set(LONG_AFTER + 86_400_000 * 30);
  const buffer = bench.open();
  for (let meter = 0; meter < 30; meter += 1) {
    const readings = Array.from({ length: 4_000 }, (_, slot) => reading(`m${meter}`, slot * SLOT_MS));
    buffer.commit({ readings, rejected: [] });
  }
  expect(bench.reader().totals().slots).toBeGreaterThan(0);
  buffer.close();
  const again = bench.open();
  while (again.closeSlots(bench.clock.now(), 20_000).more);
  expect(bench.reader().totals().slots).toBe(120_000);
});

/** One action on the buffer; a kill goes on with what was on disk at that moment. */
type Action =
  | { readonly kind: 'commit'; readonly readings: readonly Reading[] }
  | { readonly kind: 'close'; readonly nowMs: number; readonly limit: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'reopen' };

const anyReading = fc
  .record({
    meter: fc.constantFrom('a', 'b', 'c'),
    // Coarse times in two hours: repeats, late ones and holes come by themselves.
    offsetMs: fc.integer({ min: 0, max: 240 }).map((n) => n * 30_000),
    powerW: fc.option(fc.integer({ min: -500, max: 5_000 }), { nil: undefined }),
    importWh: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
    voltageV: fc.option(fc.integer({ min: 200, max: 260 }), { nil: undefined }),
  })
  .map(({ meter, offsetMs, ...values }) => {
    const measures = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
    return reading(meter, offsetMs, measures);
  });

const anyAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('commit' as const), readings: fc.array(anyReading, { maxLength: 12 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      nowMs: fc.integer({ min: 0, max: 150 }).map((n) => at(n * MINUTE)),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'kill' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

test('slots equal a model in memory: late, repeated and in any order, with kills in between', MUCH_WORK, () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  const run = (actions: readonly Action[]): void => {
    const own = createBench();
    try {
      let buffer = own.open();
      const committed: Reading[] = [];
      for (const action of actions) {
        if (action.kind === 'commit') {
          buffer.commit({ readings: action.readings, rejected: [] });
          committed.push(...action.readings);
        } else if (action.kind === 'close') {
          buffer.closeSlots(at(action.nowMs - START_MS), action.limit);
        } else {
          const copy = own.killed();
          buffer.close();
          if (action.kind === 'kill') {
            for (const suffix of ['-wal', '-shm']) rmSync(own.path + suffix, { force: true });
            copyFileSync(copy, own.path);
            renameSync(`${copy}-wal`, `${own.path}-wal`);
          }
          buffer = own.open();
        }
      }
      while (buffer.closeSlots(LONG_AFTER, 1_000).more);
      const reader = own.reader();
      const slots = reader.stream('slot', 0, 100_000);
      const found = new Map(slots.map((slot) => [`${slot.meter} ${slot.slotStartMs - START_MS}`, valuesIn(slot)]));
      expect(told(found)).toEqual(told(model(committed)));
      expect(reader.totals()).toMatchObject({ slots: slots.length, readings: committed.length });
      const numbers = slots.map((slot) => slot.changeSeq);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(Math.max(0, ...numbers)).toBeLessThanOrEqual(reader.head().changeSeq);
      for (const latest of reader.latestReadings()) {
        const times = committed.filter((one) => one.meter === latest.meter).map((one) => one.takenAtMs);
        expect(latest.takenAtMs).toBe(Math.max(...times));
      }
    } finally {
      own.clean();
    }
  };
  fc.assert(fc.property(fc.array(anyAction, { minLength: 1, maxLength: 30 }), run), {
    seed,
    numRuns: Number(process.env['FUZZ_RUNS'] ?? 60),
  });
});

test('a kill while slots are open loses none of them', () => {
  const buffer = bench.open();
  const readings = Array.from({ length: 200 }, (_, n) => reading(`m${n % 7}`, n * 17_000, { powerW: n, importWh: n }));
  for (let n = 0; n < readings.length; n += 10) {
    buffer.commit({ readings: readings.slice(n, n + 10), rejected: [] });
    buffer.closeSlots(at(n * 17_000), 3);
  }
  const copy = bench.killed();
  const again = bench.open({ path: copy });
  while (again.closeSlots(LONG_AFTER, 1_000).more);
  expect(storedSlots(copy)).toEqual(model(readings));
});
