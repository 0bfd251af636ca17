import { expect, test } from 'vitest';
import { foundingTen, recorded } from './founding-ten.js';

const day = Float32Array.from({ length: 48 }, (_, slot) => (slot < 46 ? 100 : 340));

test('means over an hour and a day, deviation, ratio, and the calendar', () => {
  const ten = foundingTen(day, { hour: 23, weekday: 6 }, { temperatureC: -3 });
  expect(ten).toMatchObject({ mean1hW: 340, mean24hW: 110, hour: 23, weekday: 6, weekend: true, temperatureC: -3 });
  expect(ten.deviation24hW).toBeCloseTo(Math.sqrt((46 * 10 ** 2 + 2 * 230 ** 2) / 48), 3);
  expect(ten.ratioToMean).toBeCloseTo(340 / 110, 6);
  expect(ten.windMs).toBeNaN();
});

test('gaps are left out; nothing at all stays unknown', () => {
  const gaps = day.map((watts, slot) => (slot % 5 === 0 ? Number.NaN : watts));
  expect(foundingTen(gaps, { hour: 0, weekday: 0 }).mean24hW).toBeGreaterThan(100);
  expect(
    foundingTen(
      day.map(() => Number.NaN),
      { hour: 0, weekday: 0 },
    ).mean24hW,
  ).toBeNaN();
  expect(foundingTen(new Float32Array(48), { hour: 0, weekday: 0 })).toMatchObject({
    mean24hW: 0,
    ratioToMean: Number.NaN,
  });
});

test('what is kept has no unknown figures and no digits that nobody measured', () => {
  const kept = recorded(foundingTen(day, { hour: 23, weekday: 6 }, { windMs: 3.25 }));
  expect(kept).toEqual({
    mean1hW: 340,
    mean24hW: 110,
    deviation24hW: 47.958,
    ratioToMean: 3.091,
    hour: 23,
    weekday: 6,
    weekend: true,
    windMs: 3.25,
  });
  expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
});
