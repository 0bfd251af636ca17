import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_COLUMNS, emptyDay, packDay, unpackDay } from './day-packing.js';
import { packRice, unpackRice } from './rice.js';
import { NULL } from './slot-column.js';

const SHAPE = { slotMs: 1_800_000, slotsPerDay: 48 };

const anyPlaces = fc.subarray(Array.from({ length: 48 }, (_, place) => place)).map((places) => Int32Array.from(places));
const anyColumn = (nullable: boolean) =>
  fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 40 }).map((n) => n * 100),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      nullable ? fc.constant(NULL) : fc.integer({ min: -3_000, max: 0 }),
    ),
    { minLength: 48, maxLength: 48 },
  );
const anyDay = fc
  .tuple(anyPlaces, fc.tuple(...DAY_COLUMNS.map((name) => anyColumn(/Voltage|core|model/.test(name)))))
  .map(([places, columns]) => {
    const day = emptyDay(48, places);
    DAY_COLUMNS.forEach((name, index) => {
      for (const place of places) day.columns[name][place] = columns[index]?.[place] ?? 0;
    });
    return day;
  });

const read = (parts: readonly Uint8Array[], through?: (typeof DAY_COLUMNS)[number]) =>
  unpackDay(parts, SHAPE, { through, into: emptyDay(48, new Int32Array(0)).columns });

test('a day comes back as it was, whatever its columns hold', () => {
  fc.assert(
    fc.property(anyDay, (day) => {
      const back = read(packDay(day, SHAPE));
      expect(Array.from(back?.places ?? [])).toEqual(Array.from(day.places));
      for (const name of DAY_COLUMNS) {
        for (const place of day.places) expect(back?.columns[name][place]).toBe(day.columns[name][place]);
      }
    }),
  );
});

test('one guess beyond all whole numbers does not spoil its number', () => {
  const day = emptyDay(48, Int32Array.of(3, 9, 13, 20));
  day.columns.meanPowerDw.set([7_003, 0, 0, 0, 0, 0, 2_111, 0, 0, 0, 106_738_108, 0, 0, 0, 0, 0, 0, 913], 3);
  for (const place of day.places) {
    day.columns.coveragePm[place] = 500;
    day.columns.energyMwh[place] = 25 * (day.columns.meanPowerDw[place] ?? 0);
  }
  day.columns.coveragePm[13] = 843_859_898;
  day.columns.energyMwh[13] = 134_606_691;
  day.columns.energyMwh[20] = 1 + (day.columns.energyMwh[20] ?? 0);
  expect(Array.from(read(packDay(day, SHAPE))?.columns.energyMwh ?? [])).toEqual(Array.from(day.columns.energyMwh));
});

test('the first columns are read without the parts behind them', () => {
  const day = emptyDay(48, Int32Array.of(3, 4, 9));
  day.columns.meanPowerDw.fill(1_234);
  const [load] = packDay(day, SHAPE);
  expect(read(load === undefined ? [] : [load], 'meanPowerDw')?.columns.meanPowerDw[9]).toBe(1_234);
  expect(read(load === undefined ? [] : [load])).toBeUndefined();
});

test('a day of another version is not guessed at', () => {
  const parts = packDay(emptyDay(48, Int32Array.of(0)), SHAPE).map((part) => Uint8Array.from(part));
  parts[0]?.set([99]);
  expect(read(parts)).toBeUndefined();
});

test('a day without a change takes next to nothing', () => {
  const day = emptyDay(
    288,
    Int32Array.from({ length: 288 }, (_, place) => place),
  );
  day.columns.meanPowerDw.fill(2_300);
  day.columns.energyMwh.fill(19_167);
  const bytes = packDay(day, { slotMs: 300_000, slotsPerDay: 288 }).reduce((sum, part) => sum + part.length, 0);
  expect(bytes).toBeLessThan(100);
});

test('numbers of any size survive the code', () => {
  const numbers = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat()), { maxLength: 200 });
  fc.assert(
    fc.property(numbers, (list) => {
      const back = new Float64Array(list.length);
      unpackRice(packRice(Float64Array.from(list)), back);
      expect(Array.from(back)).toEqual(list);
    }),
  );
});
