import { expect, test } from 'vitest';
import { trainDayModel } from '../day-model.js';
import { createSmallFleet } from '../generated-fleet.js';
import { testYourself } from './self-test.js';

const fleet = createSmallFleet({ meters: 20 });
const model = trainDayModel({ fleet, clean: { from: 0, to: 119 }, seed: 1 });

test('it finds a bypass at once, raises hardly an alarm besides, and says so the same way twice', () => {
  const options = { fleet, model, seed: 3, attacks: ['bypass', 'zero_window'] as const, rounds: 2 };
  const result = testYourself(options);
  expect(result.thefts).toBe(8);
  expect(result.per_attack['bypass']).toEqual({ thefts: 4, recall: 1 });
  expect(result.median_days_to_detect).toBeLessThanOrEqual(7);
  expect(result.false_alarms_per_100_meter_days).toBeLessThan(1);
  expect(testYourself(options)).toEqual(result);
});

test('a model that sees nothing finds nothing', () => {
  const blind = {
    ...model,
    calibration: {
      knots: [
        [0, 0],
        [1, 0.1],
      ] as const,
    },
  };
  const result = testYourself({ fleet, model: blind, seed: 3, attacks: ['bypass'], rounds: 1 });
  expect(result).toMatchObject({ recall: 0, median_days_to_detect: null, false_alarms_per_100_meter_days: 0 });
});

test('beside the balance of its feeders it finds them sooner', () => {
  const result = testYourself({ fleet, model, seed: 3, attacks: ['constant_share', 'cap'], rounds: 2 });
  const { with_feeders } = result;
  expect(with_feeders?.thefts).toBe(result.thefts);
  expect(with_feeders?.recall).toBe(1);
  expect(with_feeders?.median_days_to_detect).toBeLessThanOrEqual(3);
  expect(result.median_days_to_detect).toBeGreaterThan(3);
  expect(testYourself({ fleet: { ...fleet, feeders: [] }, model, seed: 3, rounds: 1 })).not.toHaveProperty(
    'with_feeders',
  );
});

test('a fleet in which fewer steal at a time than there are kinds still sees every kind', () => {
  const { per_attack } = testYourself({ fleet: { ...fleet, feeders: [] }, model, seed: 3, rounds: 5 });
  expect(Object.values(per_attack).map(({ thefts }) => thefts)).toEqual(new Array(10).fill(2));
});

test('of few meters one steals, and of none nothing can be said', () => {
  const few = { ...fleet, meters: fleet.meters.slice(0, 2), feeders: [] };
  const { per_attack } = testYourself({ fleet: few, model, seed: 3, attacks: ['bypass', 'cap'], rounds: 2 });
  expect(Object.values(per_attack).map(({ thefts }) => thefts)).toEqual([1, 1]);
  const none = { ...few, meters: [] };
  expect(() => testYourself({ fleet: none, model, seed: 3 })).toThrow('there is no meter');
});
