import { expect, test } from 'vitest';
import { createHousehold, type Household, isWeekend } from './household.js';
import { STREET } from './traits.js';
import { createWeather } from './weather.js';

const DAY_MS = 86_400_000;
/** Tuesday 2013-01-01. */
const NEW_YEAR = Date.UTC(2013, 0, 1) / DAY_MS;
const weather = createWeather(1);
const household = (number: number, more: { seed?: number; stepMinutes?: number; equipment?: typeof STREET } = {}) =>
  createHousehold({ seed: 7, number, weather, stepMinutes: 5, ...more });

const energyWh = (watts: Float32Array): number => watts.reduce((sum, one) => sum + one, 0) * (24 / watts.length);
const year = (home: Household) => Array.from({ length: 365 }, (_, day) => home.day(NEW_YEAR + day));
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test('a day is the same whatever was asked before, and another seed or number is another home', () => {
  const inOrder = household(3);
  const days = [0, 1, 2, 3].map((day) => inOrder.day(NEW_YEAR + day).consumedW);
  const backwards = household(3);
  for (const day of [3, 1, 2, 0, 1]) expect(backwards.day(NEW_YEAR + day).consumedW).toEqual(days[day]);
  expect(household(4).day(NEW_YEAR).consumedW).not.toEqual(days[0]);
  expect(household(3, { seed: 8 }).day(NEW_YEAR).consumedW).not.toEqual(days[0]);
});

test('finer steps show the same energy', () => {
  for (const number of [0, 1, 2, 3]) {
    const fine = energyWh(household(number, { stepMinutes: 1 }).day(NEW_YEAR).consumedW);
    for (const stepMinutes of [5, 15, 30, 60]) {
      const coarse = energyWh(household(number, { stepMinutes }).day(NEW_YEAR).consumedW);
      // Only the few per cent by which everything fluctuates fall differently.
      expect(Math.abs(coarse / fine - 1)).toBeLessThan(0.03);
    }
  }
});

test('a street uses what streets use, more in winter, less while people are away, nothing while rooms are empty', () => {
  const homes = Array.from({ length: 24 }, (_, number) => year(household(number)));
  const perDay = (of: (day: { state: string }, index: number) => boolean) =>
    mean(homes.flatMap((days) => days.filter(of).map(({ consumedW }) => energyWh(consumedW))));
  expect(perDay(() => true)).toBeGreaterThan(6_000);
  expect(perDay(() => true)).toBeLessThan(16_000);
  expect(perDay((_, day) => day < 60)).toBeGreaterThan(1.1 * perDay((_, day) => day >= 150 && day < 210));
  expect(perDay(({ state }) => state === 'away')).toBeLessThan(0.6 * perDay(({ state }) => state === 'lived_in'));
  const empty = homes.flat().filter(({ state }) => state === 'vacant');
  expect(empty.length).toBeGreaterThan(0);
  // Only what was started on the last evening may still run.
  const used = empty.filter(({ consumedW }) => energyWh(consumedW) > 0);
  expect(used.length).toBeLessThan(empty.length / 5);
  for (const { consumedW } of homes.flat()) expect(consumedW.every((watts) => watts >= 0 && watts < 40_000)).toBe(true);
});

test('tenants change the household and leave the building as it is', () => {
  const home = household(5);
  const seen = new Map(Array.from({ length: 40 * 365 }, (_, day) => [home.traitsOf(day)?.persons, home.traitsOf(day)]));
  expect(seen.size).toBeGreaterThan(2);
  const heatings = [...seen.values()].flatMap((traits) =>
    traits === null || traits === undefined ? [] : traits.heating,
  );
  expect(new Set(heatings.map((heating) => JSON.stringify(heating))).size).toBe(1);
});

test('panels produce by day, more in summer; who has none produces nothing', () => {
  const sunny = household(2, { equipment: { ...STREET, solar: 1 } });
  const produced = (day: number) => sunny.day(NEW_YEAR + day).producedW ?? new Float32Array();
  expect(
    produced(170)
      .subarray(0, 24)
      .every((watts) => watts === 0),
  ).toBe(true);
  const summer = mean(Array.from({ length: 30 }, (_, day) => energyWh(produced(160 + day))));
  const winter = mean(Array.from({ length: 30 }, (_, day) => energyWh(produced(day))));
  expect(summer).toBeGreaterThan(3 * winter);
  expect(household(2, { equipment: { ...STREET, solar: 0 } }).day(NEW_YEAR + 170).producedW).toBeNull();
});

test('a vehicle is charged through midnight', () => {
  const equipment = { ...STREET, vehicle: 1 };
  const charged = Array.from({ length: 12 }, (_, number) => {
    const [equipped, without] = [
      household(number, { equipment }),
      household(number, { equipment: { ...STREET, vehicle: 0 } }),
    ];
    return (
      mean(year(equipped).map(({ consumedW }) => energyWh(consumedW))) -
      mean(year(without).map(({ consumedW }) => energyWh(consumedW)))
    );
  });
  // 15 to 70 kWh a week.
  expect(mean(charged)).toBeGreaterThan(2_000);
  expect(mean(charged)).toBeLessThan(10_000);
});

test('weekends', () => {
  expect([0, 1, 2, 3, 4].map(isWeekend)).toEqual([false, false, true, true, false]);
});
