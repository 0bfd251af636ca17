import { expect, test } from 'vitest';
import { createHousehold } from './household.js';
import { createStreet, type Street } from './street.js';
import { createWeather } from './weather.js';

const DAY_MS = 86_400_000;
const FIRST = Date.UTC(2026, 0, 1) / DAY_MS;
const meanOf = (values: Float32Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;

/** What is lost of the energy that passes the feeder, this way or that, over the days that are given. */
function lossShare(street: Street, feeder: number, days: readonly number[]): number {
  let [passed, net, arrived] = [0, 0, 0];
  for (const day of days) {
    passed += meanOf(street.feederW(feeder, day).map(Math.abs));
    net += meanOf(street.feederW(feeder, day));
    for (let customer = feeder; customer < street.customers; customer += street.feeders)
      arrived += meanOf(street.customerW(customer, day));
  }
  return (net - arrived) / passed;
}

/** Other days of a year than those by which the lines are chosen. */
const SPREAD = Array.from({ length: 26 }, (_, index) => FIRST + 14 * index);

test.each([
  ['few homes, step by step', { customers: 6, feeders: 2, stepMinutes: 5 }, 21],
  ['half a hundred', { customers: 50, feeders: 1, stepMinutes: 30 }, 8],
])('over a year the lines take 2 to 6 %, whoever lives there: %s', (_, options, seeds) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const street = createStreet({ ...options, seed });
    for (let feeder = 0; feeder < street.feeders; feeder++) {
      const share = lossShare(street, feeder, SPREAD);
      expect(share, `seed ${seed}, feeder ${feeder}`).toBeGreaterThan(0.02);
      expect(share, `seed ${seed}, feeder ${feeder}`).toBeLessThan(0.06);
    }
  }
});

test('a feeder passes what its customers draw, what those without a meter draw, and k₀ + k₁F² of what passes', () => {
  const options = { seed: 5, customers: 9, feeders: 3, stepMinutes: 30 };
  const [street, crowded] = [createStreet(options), createStreet({ ...options, unregistered: 2 })];
  const weather = createWeather(options.seed);
  const day = FIRST + 40;
  for (let feeder = 0; feeder < 3; feeder++) {
    const strangers = [0, 1].map((number) =>
      createHousehold({ seed: 5, number: 1_000_000 + feeder * 1_000 + number, weather, stepMinutes: 30 }).day(day),
    );
    const drawn = (step: number) =>
      [feeder, feeder + 3, feeder + 6].reduce((sum, one) => sum + (street.customerW(one, day)[step] ?? 0), 0);
    const unregistered = (step: number) =>
      strangers.reduce((sum, one) => sum + (one.consumedW[step] ?? 0) - (one.producedW?.[step] ?? 0), 0);
    for (const [of, extra] of [
      [street, () => 0],
      [crowded, unregistered],
    ] as const) {
      const passed = [...of.feederW(feeder, day)];
      const lost = passed.map((watts, step) => watts - drawn(step) - extra(step));
      // Two of the steps tell both constants, and the others must follow from them.
      const [low, high] = [passed.indexOf(Math.min(...passed)), passed.indexOf(Math.max(...passed))];
      const [f0 = 0, f1 = 0, l0 = 0, l1 = 0] = [passed[low], passed[high], lost[low], lost[high]];
      const k1 = (l1 - l0) / (f1 ** 2 - f0 ** 2);
      const k0 = l0 - k1 * f0 ** 2;
      expect(k0).toBeGreaterThan(0);
      expect(k1).toBeGreaterThan(0);
      for (const [step, watts] of passed.entries()) expect(lost[step]).toBeCloseTo(k0 + k1 * watts ** 2, 1);
    }
  }
});

test('any day in any order is the same, and a year has its own lines', () => {
  const options = { seed: 5, customers: 4, feeders: 1, stepMinutes: 30 };
  const [inOrder, backwards] = [createStreet(options), createStreet(options)];
  const days = [FIRST - 1, FIRST, FIRST + 700];
  const made = days.map((day) => [...inOrder.feederW(0, day)]);
  expect(days.toReversed().map((day) => [...backwards.feederW(0, day)])).toEqual(made.toReversed());
});

test('without voltage neither a feeder nor its customers draw anything', () => {
  const street = createStreet({ seed: 5, customers: 4, feeders: 2, stepMinutes: 30, sheddingHours: 4 });
  const off = (watts: Float32Array) => watts.filter((one) => one === 0).length;
  for (const feeder of [0, 1]) {
    const [dark, light] = [FIRST, FIRST + 1].toSorted((day) => (street.outagesOn(feeder, day).length > 0 ? -1 : 1));
    const [span] = street.outagesOn(feeder, dark ?? 0);
    expect((span?.toMinute ?? 0) - (span?.fromMinute ?? 0)).toBe(240);
    expect(off(street.feederW(feeder, dark ?? 0))).toBe(8);
    expect(off(street.customerW(feeder, dark ?? 0))).toBeGreaterThanOrEqual(8);
    expect(street.outagesOn(feeder, light ?? 0)).toEqual([]);
    expect(off(street.feederW(feeder, light ?? 0))).toBe(0);
  }
});

test('shedding takes its hours on every second day, in turns, and within the day', () => {
  const street = createStreet({ seed: 5, customers: 4, feeders: 4, stepMinutes: 30, sheddingHours: 12 });
  for (let day = FIRST; day < FIRST + 30; day++) {
    const spans = [0, 1, 2, 3].map((feeder) => street.outagesOn(feeder, day));
    expect(spans.map(({ length }) => length)).toEqual(day % 2 === 0 ? [1, 0, 1, 0] : [0, 1, 0, 1]);
    for (const { fromMinute, toMinute } of spans.flat()) {
      expect(toMinute - fromMinute).toBe(720);
      expect(toMinute).toBeLessThanOrEqual(1_440);
    }
  }
});
