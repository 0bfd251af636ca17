import { expect, test } from 'vitest';
import { area, frameOf, polyline, roundTicks, text } from './svg.js';

const frame = frameOf({ width: 172, height: 172, x: [0, 10], y: [0, 10] });

test('a line begins anew after what is not known, and goes on in whole dots from where it was drawn', () => {
  const points = [
    [0, 0],
    [0.13, 1],
    [5, Number.NaN],
    [5, 5],
    [10, 10],
  ] as const;
  expect(polyline(frame, points, 'red')).toContain('d="M56 136l1-10M106 86l50-50"');
});

test('rounding does not add up along a line', () => {
  const points = Array.from({ length: 334 }, (_, index) => [index * 0.03, 0] as const);
  const path = polyline(frame, points, 'red');
  const steps = [...path.matchAll(/l(-?\d+)/g)].reduce((sum, [, dx]) => sum + Number(dx), 0);
  expect(steps).toBe(100);
});

test('an area goes along its upper edge and back along its lower one', () => {
  const lower = [
    [0, 1],
    [10, 1],
  ] as const;
  const upper = [
    [0, 2],
    [10, 3],
  ] as const;
  expect(area(frame, lower, upper, 'red')).toContain('d="M56 116l100-10l0 20l-100 0z"');
});

test.each([
  [0, 100, [0, 20, 40, 60, 80, 100]],
  [0, 3_300, [0, 1_000, 2_000, 3_000]],
  [0, 4.2, [0, 1, 2, 3, 4]],
  [31, 74, [40, 50, 60, 70]],
  [-150, 100, [-100, 0, 100]],
])('an axis from %d to %d counts in round steps', (lowest, highest, ticks) => {
  expect(roundTicks(highest, lowest)).toEqual(ticks);
});

test('words cannot become elements', () => {
  expect(text({ x: 0, y: 0 }, '<script>')).toBe('<text x="0" y="0">&lt;script&gt;</text>');
});
