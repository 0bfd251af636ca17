import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addReading, type Carried, emptyAccumulator, type Measured, valuesOf } from './slot-accumulator.js';
import { packTimes, unpackTimes } from './slot-times.js';

const nothing: Measured = { powerDw: null, importDwh: null, voltageCv: null };
const SECOND = 1_000;

function slotOf(entries: readonly (readonly [atMs: number, Partial<Measured>])[], carried: Carried | null = null) {
  const slot = emptyAccumulator();
  for (const [atMs, measured] of entries) addReading(slot, atMs, { ...nothing, ...measured });
  return valuesOf(slot, carried);
}
const every = (stepMs: number, measured: (atMs: number) => Partial<Measured>, untilMs = 300 * SECOND) =>
  Array.from({ length: Math.ceil(untilMs / stepMs) }, (_, n) => [n * stepMs, measured(n * stepMs)] as const);

test('one kilowatt for five minutes is 83.333 Wh', () => {
  expect(slotOf(every(10 * SECOND, () => ({ powerDw: 10_000, voltageCv: 23_000 })))).toEqual({
    energyMwh: 83_333,
    meanPowerDw: 10_000,
    minPowerDw: 10_000,
    maxPowerDw: 10_000,
    count: 30,
    coveragePm: 1_000,
    minVoltageCv: 23_000,
    maxVoltageCv: 23_000,
  });
});

test('the register has the last word on energy when both ends are known, unless it fell', () => {
  const entries = every(60 * SECOND, (ms) => ({ powerDw: 10_000, importDwh: 5_000 + ms / 1_000 }));
  expect(slotOf(entries, { lastMs: -60 * SECOND, registerDwh: 4_940 }).energyMwh).toBe(30_000);
  expect(slotOf(entries, { lastMs: -60 * SECOND, registerDwh: 9_000 }).energyMwh).toBe(83_333);
  expect(slotOf(entries, { lastMs: -60 * SECOND, registerDwh: null }).energyMwh).toBe(83_333);
});

test('a meter without power is known by its register alone', () => {
  const entries = every(60 * SECOND, (ms) => ({ importDwh: 100 + ms / 60_000 }));
  expect(slotOf(entries)).toMatchObject({ energyMwh: 400, meanPowerDw: 60, coveragePm: 1_000 });
  expect(slotOf(entries, { lastMs: -60 * SECOND, registerDwh: 99 })).toMatchObject({ energyMwh: 500, meanPowerDw: 60 });
});

test('a step of the register that no meter can make is no energy', () => {
  const carried = { lastMs: -60 * SECOND, registerDwh: 0 };
  const glitch = { importDwh: 250_000_500 };
  const none = { energyMwh: 0, meanPowerDw: 0, coveragePm: 0 };
  expect(slotOf([[1_000, glitch]], carried)).toMatchObject(none);
  expect(
    slotOf([
      [1_000, { importDwh: 0 }],
      [61_000, glitch],
    ]),
  ).toMatchObject(none);
  const entries = every(60 * SECOND, () => ({ powerDw: 10_000, ...glitch }));
  expect(slotOf(entries, carried)).toMatchObject({ energyMwh: 83_333, meanPowerDw: 10_000, coveragePm: 1_000 });
  // 1.9 MW of a large feeder, also when its two readings lie almost two slots apart, is energy.
  const feeder = (slots: number) => ({ importDwh: (19_000_000 * slots) / 12 });
  expect(slotOf([[240_000, feeder(1)]], carried).energyMwh).toBeCloseTo(158_333_333, -1);
  expect(slotOf([[299_000, feeder(1.99)]], { lastMs: -298_000, registerDwh: 0 }).coveragePm).toBeGreaterThan(0);
  // And so is that of a meter whose own power is larger still.
  expect(slotOf([[240_000, { ...feeder(2), powerDw: 30_000_000 }]], carried).energyMwh).toBeCloseTo(316_666_667, -1);
});

test('whatever the readings, a slot fits the columns of the centre', () => {
  const value = fc.option(fc.oneof(fc.integer(), fc.integer({ min: -1e15, max: 1e15 })));
  const entries = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 299_999 }), fc.record({ powerDw: value, importDwh: value, voltageCv: value })),
    { maxLength: 20 },
  );
  const carried = fc.option(fc.record({ lastMs: fc.integer({ min: -300_000, max: -1 }), registerDwh: value }));
  fc.assert(
    fc.property(entries, carried, (list, before) => {
      const { energyMwh, coveragePm, count, ...int4 } = slotOf(list, before);
      expect(Number.isSafeInteger(energyMwh) && energyMwh >= 0).toBe(true);
      expect(coveragePm).toBeLessThanOrEqual(1_000);
      for (const one of Object.values(int4)) {
        expect(one === null || (Number.isInteger(one) && Math.abs(one) < 2 ** 31)).toBe(true);
      }
    }),
  );
});

test('voltage alone covers nothing', () => {
  expect(slotOf(every(60 * SECOND, () => ({ voltageCv: 1 })))).toMatchObject({ energyMwh: 0, coveragePm: 0, count: 5 });
});

test('energy is what came from the grid, mean power what flowed', () => {
  const entries = every(60 * SECOND, (ms) => ({ powerDw: ms < 150 * SECOND ? 10_000 : -10_000 }));
  expect(slotOf(entries)).toMatchObject({ energyMwh: 50_000, meanPowerDw: 2_000, minPowerDw: -10_000 });
});

test.each<[string, readonly (readonly [number, Partial<Measured>])[], Carried | null, number]>([
  ['a meter that fell silent after half the slot', every(10 * SECOND, () => ({ powerDw: 1 }), 150 * SECOND), null, 517],
  [
    'one reading of a meter that sends every five minutes',
    [[9_000, { powerDw: 1 }]],
    { lastMs: -291_000, registerDwh: null },
    1_000,
  ],
  [
    'one reading of a meter that sends every ten seconds',
    [[5_000, { powerDw: 1 }]],
    { lastMs: -5_000, registerDwh: null },
    67,
  ],
  ['one reading of a meter never seen before', [[5_000, { powerDw: 1 }]], null, 1_000],
  [
    'power and voltage a moment apart',
    every(10 * SECOND, () => ({ powerDw: 1 })).flatMap(([ms, power]) => [
      [ms, power] as const,
      [ms + 2, { voltageCv: 1 }] as const,
    ]),
    null,
    1_000,
  ],
])('coverage: %s', (_name, entries, carried, expected) => {
  expect(slotOf(entries, carried).coveragePm).toBe(expected);
});

test('the order of arrival changes nothing, and of two readings of one moment the first stands', () => {
  const entry = fc.tuple(
    fc.integer({ min: 0, max: 299_999 }),
    fc.record({
      powerDw: fc.option(fc.integer({ min: -1e6, max: 1e6 })),
      importDwh: fc.option(fc.integer({ min: 0, max: 1e14 })),
      voltageCv: fc.option(fc.integer({ min: 0, max: 50_000 })),
    }),
  );
  const distinct = fc.uniqueArray(entry, { selector: ([atMs]) => atMs, maxLength: 40 });
  const shuffled = distinct.chain((entries) =>
    fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
  );
  fc.assert(
    fc.property(shuffled, ([entries, other]) => {
      const repeats = other.map(([atMs]) => [atMs, { powerDw: 1e9 }] as const);
      expect(slotOf([...other, ...repeats])).toEqual(slotOf(entries));
    }),
  );
});

test('times of a slot survive packing; a steady interval takes a few bytes', () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 299_999 }), { maxLength: 300 });
  fc.assert(
    fc.property(times, (list) => {
      const sorted = list.sort((a, b) => a - b);
      expect(unpackTimes(packTimes(sorted))).toEqual(sorted);
    }),
  );
  expect(packTimes(Array.from({ length: 30 }, (_, n) => 1_234 + n * 10_000)).length).toBeLessThanOrEqual(6);
});
