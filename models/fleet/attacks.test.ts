import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { ATTACK_KINDS, type Attack, applyAttack, drawAttack } from './attacks.js';

const HOURS = { stepsPerDay: 24 };
const flat = (days: number, watts = 100): Float32Array => new Float32Array(24 * days).fill(watts);
const attacked = (attack: Attack, values = flat(2)): number[] =>
  Array.from(applyAttack({ ...HOURS, values }, attack, seededRandom(1)));

test('what each leaves of a flat load of 100', () => {
  expect(attacked({ kind: 'constant_share', share: 0.25 })).toEqual(Array(48).fill(25));
  expect(attacked({ kind: 'cap', cap: 40 })).toEqual(Array(48).fill(40));
  expect(attacked({ kind: 'offset', offset: 30 })).toEqual(Array(48).fill(70));
  expect(attacked({ kind: 'offset', offset: 130 })).toEqual(Array(48).fill(0));
  expect(attacked({ kind: 'bypass', left: 0 })).toEqual(Array(48).fill(0));
  expect(attacked({ kind: 'reversed_phase', phaseShare: 0.75 })).toEqual(Array(48).fill(-50));
});

test('hours of the day, also over midnight', () => {
  const zeroHours = (attack: Attack) =>
    attacked(attack)
      .slice(0, 24)
      .flatMap((value, hour) => (value === 0 ? hour : []));
  expect(zeroHours({ kind: 'zero_window', fromHour: 9, hours: 3 })).toEqual([9, 10, 11]);
  expect(zeroHours({ kind: 'zero_window', fromHour: 22, hours: 4 })).toEqual([0, 1, 22, 23]);
  expect(zeroHours({ kind: 'night_only', share: 0, fromHour: 22, toHour: 2 })).toEqual([0, 1, 22, 23]);
});

test('a ramp goes on where the last part of the series ended', () => {
  const ramp: Attack = { kind: 'slow_ramp', share: 0.5, days: 2 };
  const whole = attacked(ramp, flat(4));
  const first = applyAttack({ ...HOURS, values: flat(1) }, ramp, seededRandom(1));
  const rest = applyAttack({ ...HOURS, values: flat(3), elapsedSteps: 24 }, ramp, seededRandom(1));
  expect([...first, ...rest]).toEqual(whole);
  expect([whole[0], whole[24], whole[48], whole[95]]).toEqual([100, 75, 50, 50]);
});

test('random shares stay within their bounds and change from step to step', () => {
  const shares = attacked({ kind: 'random_share', low: 0.1, high: 0.8 });
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...shares)).toBeLessThanOrEqual(80);
  expect(new Set(shares).size).toBeGreaterThan(40);
});

test('a share of the mean forgets the shape', () => {
  const rising = Float32Array.from({ length: 48 }, (_, index) => index);
  const got = attacked({ kind: 'mean_share', low: 0.5, high: 0.5, mean: 10 }, rising);
  expect(got).toEqual(Array(48).fill(5));
});

const drawn = fc.float({ min: 0, max: 20_000, noNaN: true });
const fedIn = fc.float({ min: -8_000, max: 0, noNaN: true });
const unknown = fc.constant(Number.NaN);
const loadOf = (...values: fc.Arbitrary<number>[]) =>
  fc.array(fc.oneof(...values), { minLength: 24, maxLength: 96 }).map((list) => Float32Array.from(list));
/** What the import register makes of it, and the export register. */
const registers = (values: Float32Array) => [
  values.reduce((sum, value) => sum + (value > 0 ? value : 0), 0),
  values.reduce((sum, value) => sum - (value < 0 ? value : 0), 0),
];

test.each(ATTACK_KINDS)(
  '%s: with panels too, a meter never counts more than was drawn, nor feeds in more or less',
  (kind) => {
    fc.assert(
      fc.property(loadOf(drawn, fedIn, unknown), fc.nat(), (values, seed) => {
        const attack = drawAttack(kind, values, seededRandom(seed));
        const counted = applyAttack({ ...HOURS, values }, attack, seededRandom(seed));
        const [[truly = 0, fed], [shown = 0, shownFed]] = [registers(values), registers(counted)];
        expect(shownFed).toBe(fed);
        // A share of the mean is counted where nothing is drawn as well.
        const idle = attack.kind === 'mean_share' ? attack.mean * values.filter((value) => value === 0).length : 0;
        expect(shown).toBeLessThanOrEqual((truly + idle) * (1 + 1e-6));
        const above = counted.some((value, step) => value > Math.max(values[step] ?? 0, 0) * (1 + 1e-6));
        expect(above && kind !== 'mean_share').toBe(false);
      }),
    );
  },
);

test.each(ATTACK_KINDS)('%s: the same seed steals the same, gaps stay gaps, the truth is left alone', (kind) => {
  fc.assert(
    fc.property(loadOf(drawn, unknown), fc.nat(), (values, seed) => {
      const before = Float32Array.from(values);
      const attack = drawAttack(kind, values, seededRandom(seed));
      const once = applyAttack({ ...HOURS, values }, attack, seededRandom(seed));
      expect(applyAttack({ ...HOURS, values }, attack, seededRandom(seed))).toEqual(once);
      expect(values).toEqual(before);
      expect(once.map((value) => Number(Number.isNaN(value)))).toEqual(
        values.map((value) => Number(Number.isNaN(value))),
      );
      // Only the share of the mean may add somewhere; what it takes is seen in the sum.
      const added = once.some((value, step) => value > (values[step] ?? 0) * (1 + 1e-6));
      expect(added && kind !== 'mean_share').toBe(false);
    }),
  );
});
