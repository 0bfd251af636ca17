import { expect, test } from 'vitest';
import { utcTime } from './iso-time.js';

test.each([
  ['2024-01-02', '2024-01-02T00:00:00.000Z'],
  ['2024-01-02 03:04', '2024-01-02T03:04:00.000Z'],
  ['2024-01-02T03:04:05', '2024-01-02T03:04:05.000Z'],
  ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000Z'],
  ['2024-01-02 03:04:05+02:00', '2024-01-02T01:04:05.000Z'],
  ['1/2/2024', '2024-01-02T00:00:00.000Z'],
])('%s is %s on any machine', (text, expected) => {
  const zone = process.env['TZ'];
  const zones = new Set<number>();
  try {
    for (const name of ['UTC', 'America/New_York', 'Asia/Tokyo']) {
      process.env['TZ'] = name;
      zones.add(new Date(0).getTimezoneOffset());
      expect(new Date(utcTime(text)).toISOString(), name).toBe(expected);
    }
  } finally {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  }
  expect(zones.size, 'the machine takes on the zones').toBe(3);
});

test.each(['2024-02-30', '2023-02-29T12:00', 'yesterday', ''])('%s is no time', (text) => {
  expect(utcTime(text)).toBeNaN();
});
