import { expect, test } from 'vitest';
import { day, instant, whole } from './command-options.js';

test('a day or a moment is one that the calendar has', () => {
  expect(day('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
  expect(instant('2024-02-29T12:00')).toBe(Date.UTC(2024, 1, 29, 12));
  for (const text of ['2024-02-31', '2023-02-29', '2024-02', '2024', 'then']) expect(() => day(text)).toThrow('a day');
  for (const text of ['2024-02-31', '2024-02-31T12:00:00Z', '2024-04-31T00:00+02:00', 'then'])
    expect(() => instant(text)).toThrow('not a time');
});

test('a whole number is one that is counted exactly', () => {
  expect(whole('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
  for (const text of ['9007199254740992', '1e300', '-1', '1.5', '', ' ', 'x'])
    expect(() => whole(text)).toThrow('not a whole number');
});
