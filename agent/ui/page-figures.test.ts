import { expect, test } from 'vitest';
import { formatAge, formatCount, formatEnergy, formatPower } from './page/format.js';
import { timeScale, valueScale } from './page/scale.js';
import { drawnSpans, runsOf } from './page/series.js';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

test.each([
  [null, '–'],
  [0, '0 W'],
  [3.21, '3.2 W'],
  [-540.4, '-540 W'],
  [1_234, '1.23 kW'],
  [250_000, '250 kW'],
  [3_400_000, '3.40 MW'],
])('%s W is written %s', (watts, text) => {
  expect(plain(formatPower(watts))).toBe(text);
});

test('ages, energies and counts use the unit that says enough', () => {
  expect([5_000, 119_000, 121_000, 3 * 3_600_000, 80 * 3_600_000].map((ms) => plain(formatAge(ms)))).toEqual([
    '5 s',
    '119 s',
    '2 min',
    '3 h',
    '3 d',
  ]);
  expect([8.25, 65, 4_210, 3_141_592].map((wh) => plain(formatEnergy(wh)))).toEqual([
    '8.3 Wh',
    '65 Wh',
    '4.2 kWh',
    '3,142 kWh',
  ]);
  expect([42, 1_284_310, 12_345_678].map(formatCount)).toEqual(['42', '1,284,310', '12.3M']);
});

test.each([
  [{ from: 90, to: 431 }, [0, 200, 400, 600]],
  [{ from: -2_100, to: 900 }, [-2_000, -1_000, 0, 1_000]],
  [{ from: -40, to: 3_700 }, [0, 1_000, 2_000, 3_000, 4_000]],
  [{ from: 0, to: 0 }, [0, 1, 2, 3, 4]],
])('the axis of %o has round ticks, and room for all values', (values, ticks) => {
  const scale = valueScale(values, { from: 300, to: 0 }, 4);
  expect(scale.ticks).toEqual(ticks);
  expect(scale.at(Math.min(0, values.from))).toBeCloseTo(300);
  expect(scale.at(ticks.at(-1) ?? Number.NaN)).toBeCloseTo(0);
  expect(scale.valueAt(scale.at(values.to))).toBeCloseTo(values.to);
});

test('time ticks stand on whole local hours and never closer than their labels', () => {
  const from = Date.UTC(2025, 2, 29, 10, 7);
  const scale = timeScale({ from, to: from + 48 * 3_600_000 }, { from: 0, to: 600 }, 46);
  expect(scale.ticks.length).toBeGreaterThan(5);
  for (const [i, tick] of scale.ticks.entries()) {
    expect(new Date(tick).getMinutes()).toBe(0);
    const previous = scale.ticks[i - 1];
    if (previous !== undefined) expect(scale.at(tick) - scale.at(previous)).toBeGreaterThanOrEqual(46 * 0.8);
  }
});

test('a line is never drawn over what is missing', () => {
  expect(runsOf([1, 2, 3, 7, 9, 10], (a, b) => b === a + 1)).toEqual([[1, 2, 3], [7], [9, 10]]);
  expect(runsOf([], () => true)).toEqual([]);
});

test('of overlapping resolutions the one that reaches farthest is drawn, each span once', () => {
  const span = (fromMs: number, toMs: number) => ({ fromMs, toMs, lowW: 1, medianW: 2, highW: 3 });
  const drawn = drawnSpans([span(0, 5), span(0, 60), span(60, 120), span(0, 60), span(120, 180)]);
  expect(drawn.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([
    [0, 60],
    [60, 120],
    [120, 180],
  ]);
  expect(drawnSpans([span(0, 5), span(5, 10), span(0, 10)])).toHaveLength(2);
  expect(drawnSpans([])).toEqual([]);
});
