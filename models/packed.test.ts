import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHalfBits, halfBits, roundedToHalf } from './half.js';
import { pack, unpack } from './packed.js';

test('packed numbers come back within a 32,000th of the largest, and what is missing stays missing', () => {
  const numbers = fc.array(fc.oneof(fc.double({ min: -3e4, max: 3e4, noNaN: true }), fc.constant(Number.NaN)));
  fc.assert(
    fc.property(numbers, (list) => {
      const values = Float32Array.from(list);
      const largest = values.reduce((most, value) => (Number.isNaN(value) ? most : Math.max(most, Math.abs(value))), 0);
      const back = unpack(pack(values));
      expect(back.length).toBe(values.length);
      for (const [index, value] of values.entries()) {
        if (Number.isNaN(value)) expect(back[index]).toBeNaN();
        else expect(Math.abs((back[index] as number) - value)).toBeLessThanOrEqual(largest / 32_000);
      }
    }),
  );
});

test('what was packed once is packed the same again', () => {
  const once = unpack(pack(Float32Array.of(1.234_567, -700, 12.5)));
  expect(unpack(pack(once))).toEqual(once);
});

test('every half is a number of its own, there and back', () => {
  for (let bits = 0; bits < 0x1_0000; bits++) {
    const value = fromHalfBits(bits);
    if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
  }
});

test('halves round to the nearest, ties to even, and overflow to infinity', () => {
  expect([1, 0.1, 65_504, 1 + 2 ** -11, 1 + 3 * 2 ** -11].map((value) => fromHalfBits(halfBits(value)))).toEqual([
    1,
    0.0999755859375,
    65_504,
    1,
    1 + 2 ** -9,
  ]);
  expect([70_000, -70_000].map((value) => fromHalfBits(halfBits(value)))).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(fromHalfBits(halfBits(2 ** -24))).toBe(2 ** -24);
  expect(Array.from(roundedToHalf(Float32Array.of(0.5, -0.25)))).toEqual([0.5, -0.25]);
});
