import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flagBits } from '../domain/flags.js';
import { insertPoint, pointsOf, type RegisterPoints } from './register-points.js';
import { type Around, addReading, ESTIMATED, emptyAccumulator, type Measured, valuesOf } from './slot-accumulator.js';
import { packRegisters, unpackRegisters } from './slot-registers.js';
import { packTimes, unpackTimes } from './slot-times.js';

const nothing: Measured = { powerDw: null, importDwh: null, voltageCv: null, flags: 0 };
const alone: Around = { slotMs: 300_000, lastMs: null, before: null, after: null, registerMaxDwh: undefined };
const SECOND = 1_000;

const register = (atMs: number, dwh: number) => ({ atMs, dwh, anew: false, raised: false, sealed: false });

function slotOf(entries: readonly (readonly [atMs: number, Partial<Measured>])[], around: Partial<Around> = {}) {
  const slot = emptyAccumulator();
  for (const [atMs, measured] of entries) addReading(slot, atMs, { ...nothing, ...measured });
  return valuesOf(slot, { ...alone, ...around });
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
    flags: 0,
  });
});

test('between two readings of the register its energy is exact, whatever the power says', () => {
  const entries = every(60 * SECOND, (ms) => ({ powerDw: 10_000, importDwh: 5_000 + ms / 1_000 }));
  const whole = { before: register(-60 * SECOND, 4_940), after: register(300 * SECOND, 5_300) };
  expect(slotOf(entries, { ...whole, lastMs: -60 * SECOND })).toMatchObject({
    energyMwh: 30_000,
    meanPowerDw: 10_000,
    flags: 0,
  });
  // Of what lies before the first and behind the last reading of the register, nothing is known yet.
  expect(slotOf(entries).energyMwh).toBe(24_000);
  // A register that fell was reset: that minute is known by the power.
  const reset = { before: register(-30 * SECOND, 9_000), after: register(300 * SECOND, 5_300), lastMs: -30 * SECOND };
  expect(
    slotOf(
      [
        [30 * SECOND, { powerDw: 10_000, importDwh: 5_000 }],
        ...every(60 * SECOND, (ms) => ({ powerDw: 10_000, importDwh: 5_030 + ms / 1_000 })).slice(1),
      ],
      reset,
    ).energyMwh,
  ).toBe(30_000 + 8_333);
});

test('an edge inside a gap is estimated, and both slots at it share what the register counted', () => {
  const before = register(-400 * SECOND, 1_000);
  const late = [[200 * SECOND, { importDwh: 1_601 }]] as const;
  const after = register(310 * SECOND, 1_700);
  const here = slotOf(late, { before, after });
  const earlier = slotOf([], { before: register(-100 * SECOND, 1_000), after: register(500 * SECOND, 1_601) });
  const first = slotOf([[200 * SECOND, { importDwh: 1_000 }]], { after: register(800 * SECOND, 1_601) });
  const last = slotOf([[10 * SECOND, { importDwh: 1_700 }]], { before: register(-100 * SECOND, 1_601) });
  expect([first, earlier, here].map(({ flags }) => flags)).toEqual([ESTIMATED, ESTIMATED, ESTIMATED]);
  expect(earlier).toMatchObject({ count: 0, coveragePm: 0 });
  const sum = [first, earlier, here, last].reduce((total, { energyMwh }) => total + energyMwh, 0);
  expect(sum).toBe(70_000);
});

test('the energy of a gap of more than a day stands where the register is heard again', () => {
  const before = register(-90_000 * SECOND, 1_000);
  const here = slotOf([[10 * SECOND, { importDwh: 31_000 }]], { before });
  expect(here).toMatchObject({ energyMwh: 3_000_000, meanPowerDw: 0, flags: ESTIMATED });
  expect(slotOf([], { before, after: register(310 * SECOND, 31_000) }).energyMwh).toBe(0);
});

test('a register that was full goes on at zero; one that was reset or replaced does not', () => {
  const full = { before: register(-60 * SECOND, 9_990), registerMaxDwh: 10_000 };
  expect(slotOf([[60 * SECOND, { importDwh: 6 }]], full).energyMwh).toBe(800);
  expect(slotOf([[60 * SECOND, { importDwh: 6 }]], { ...full, registerMaxDwh: undefined }).energyMwh).toBe(0);
  expect(slotOf([[60 * SECOND, { importDwh: 6, flags: flagBits(['register_reset']) }]], full).energyMwh).toBe(0);
  expect(slotOf([[60 * SECOND, { importDwh: 9_000 }]], full).energyMwh).toBe(0);
});

test('a meter without power is known by its register alone', () => {
  const entries = every(60 * SECOND, (ms) => ({ importDwh: 100 + ms / 60_000 }));
  expect(slotOf(entries)).toMatchObject({ energyMwh: 400, meanPowerDw: 60, coveragePm: 1_000 });
  const known = { lastMs: -60 * SECOND, before: register(-60 * SECOND, 99), after: register(300 * SECOND, 105) };
  expect(slotOf(entries, known)).toMatchObject({ energyMwh: 500, meanPowerDw: 60 });
});

test('a step of the register that no meter can make is no energy', () => {
  const glitch = { importDwh: 250_000_500 };
  const none = { energyMwh: 0, meanPowerDw: 0, coveragePm: 0 };
  const before = register(-60 * SECOND, 0);
  expect(slotOf([[1_000, glitch]], { before, lastMs: -60 * SECOND })).toMatchObject(none);
  expect(
    slotOf([
      [1_000, { importDwh: 0 }],
      [61_000, glitch],
    ]),
  ).toMatchObject(none);
  // 9 MW of a large feeder is energy.
  expect(slotOf([[240_000, { importDwh: 7_500_000 }]], { before }).energyMwh).toBeCloseTo(600_000_000, -2);
});

test('whatever the readings, a slot fits the columns of the centre', () => {
  const value = fc.option(fc.oneof(fc.integer(), fc.integer({ min: -1e13, max: 1e13 })));
  const entries = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 299_999 }),
      fc.record({ powerDw: value, importDwh: value, voltageCv: value, flags: fc.constant(0) }),
    ),
    { maxLength: 20 },
  );
  const near = (min: number, max: number) =>
    fc.option(
      fc.record({
        atMs: fc.integer({ min, max }),
        dwh: fc.integer({ min: 0, max: 1e13 }),
        anew: fc.boolean(),
        raised: fc.boolean(),
        sealed: fc.boolean(),
      }),
    );
  const max = fc.option(fc.integer({ min: 1, max: 1e13 }), { nil: undefined });
  fc.assert(
    fc.property(entries, near(-1e9, -1), near(300_000, 1e9), max, (list, before, after, registerMaxDwh) => {
      const { energyMwh, coveragePm, count, ...int4 } = slotOf(list, { before, after, registerMaxDwh });
      expect(Number.isSafeInteger(energyMwh) && energyMwh >= 0).toBe(true);
      expect(coveragePm).toBeLessThanOrEqual(1_000);
      for (const one of Object.values(int4)) {
        expect(one === null || (Number.isInteger(one) && Math.abs(one) < 2 ** 31)).toBe(true);
      }
    }),
  );
});

test('the energies of slots in a row add up to what the register counted, however the readings lie', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1_000, max: 1_500_000 }), fc.integer({ min: 0, max: 5_000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (list) => {
      let at = 7_000;
      let dwh = 1_000;
      const points = [{ atMs: at, dwh }];
      for (const [stepMs, stepDwh] of list) {
        at += stepMs;
        dwh += stepDwh;
        points.push({ atMs: at, dwh });
      }
      let sum = 0;
      for (let start = 0; start <= at; start += 300_000) {
        const own = points.filter(({ atMs }) => atMs >= start && atMs < start + 300_000);
        const before = points.findLast(({ atMs }) => atMs < start);
        const after = points.find(({ atMs }) => atMs >= start + 300_000);
        const slot = slotOf(
          own.map((point) => [point.atMs - start, { importDwh: point.dwh }]),
          {
            before: before === undefined ? null : register(before.atMs - start, before.dwh),
            after: after === undefined ? null : register(after.atMs - start, after.dwh),
          },
        );
        sum += slot.energyMwh;
      }
      expect(sum).toBe((dwh - 1_000) * 100);
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

test.each<[string, readonly (readonly [number, Partial<Measured>])[], number | null, number]>([
  ['a meter that fell silent after half the slot', every(10 * SECOND, () => ({ powerDw: 1 }), 150 * SECOND), null, 517],
  ['one reading of a meter that sends every five minutes', [[9_000, { powerDw: 1 }]], -291_000, 1_000],
  ['one reading of a meter that sends every ten seconds', [[5_000, { powerDw: 1 }]], -5_000, 67],
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
])('coverage: %s', (_name, entries, lastMs, expected) => {
  expect(slotOf(entries, { lastMs }).coveragePm).toBe(expected);
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

test('registers of a slot survive packing', () => {
  const point = fc.record({
    dwh: fc.integer({ min: 0, max: 1e14 }),
    anew: fc.boolean(),
    raised: fc.boolean(),
    is: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 60 }), (list) => {
      const times = list.map((_, n) => n * 1_000 + 5);
      const points = list.flatMap(({ is, ...rest }, n) => (is ? [{ atMs: n * 1_000 + 5, ...rest }] : []));
      const packed: RegisterPoints = [];
      for (const point of points.toReversed()) insertPoint(packed, point);
      expect(pointsOf(unpackRegisters(times, packRegisters(times, packed)))).toEqual(points);
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
