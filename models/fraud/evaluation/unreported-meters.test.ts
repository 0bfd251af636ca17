import { expect, test } from 'vitest';
import { createSmallFleet } from '../generated-fleet.js';
import { attackFleet } from './attacked-fleet.js';
import { lossRatioRule } from './baselines.js';
import { disturb } from './disturbances.js';
import { unreportedLine } from './unreported-meters.js';

const whole = createSmallFleet({ meters: 4, feeders: 2, days: 3 });
const withUnreported = (...names: readonly (readonly string[])[]) => ({
  ...whole,
  feeders: whole.feeders.map((feeder, index) => ({ ...feeder, unreported: names[index] ?? [] })),
});

test('one line tells how many meters are not reported, the first of them, and whose balance stays silent', () => {
  expect(unreportedLine(whole)).toBeUndefined();
  expect(unreportedLine(withUnreported([], ['a']))).toBe(
    '1 meter of the topology has no column in the reported file (a): the balance of feeder 1 says nothing',
  );
  expect(unreportedLine(withUnreported(['a', 'b', 'c', 'd'], ['e', 'f', 'g']))).toBe(
    '7 meters of the topology have no column in the reported file (a, b, c, d, e and 2 more): the balance of feeders 0, 1 says nothing',
  );
});

test('who disturbs or attacks a fleet forgets none of them', () => {
  const fleet = withUnreported(['a'], []);
  const exact = { technicalLoss: 0, feederNoise: 0, dayNoise: 0, missingMeters: 0, seed: 1 };
  expect(unreportedLine(disturb(fleet, exact, 1))).toMatch('of feeder 0');
  const injection = { random: () => 0.5, attacks: ['bypass'], share: 0.5, firstDay: 1, days: 1 } as const;
  expect(unreportedLine(attackFleet(fleet, injection).fleet)).toMatch('of feeder 0');
});

test('the rule of the lost share abstains there too', () => {
  const scores = lossRatioRule(withUnreported(['a'], []));
  expect(scores.map(([first]) => Number.isNaN(first))).toEqual([true, false, true, false]);
});
