import { expect, test } from 'vitest';
import { parseTimeZone, type TimeZone } from './time-zone.js';

function zone(name: string): TimeZone {
  const found = parseTimeZone(name);
  if (found === undefined) throw new Error(`${name} is no zone`);
  return found;
}

const wall = (text: string): number => Date.parse(`${text}Z`);
const instant = (name: string, text: string, near?: string): string =>
  new Date(zone(name).instantOf(wall(text), near === undefined ? undefined : Date.parse(near))).toISOString();

test.each([
  ['Europe/Berlin', '2025-01-15T10:30', '2025-01-15T09:30:00.000Z'],
  ['Europe/Berlin', '2025-07-15T10:30', '2025-07-15T08:30:00.000Z'],
  ['Europe/Berlin', '2025-03-30T01:59:59', '2025-03-30T00:59:59.000Z'],
  ['Europe/Berlin', '2025-03-30T03:00', '2025-03-30T01:00:00.000Z'],
  ['Europe/Berlin', '2025-10-26T01:59:59', '2025-10-25T23:59:59.000Z'],
  ['Europe/Berlin', '2025-10-26T03:00', '2025-10-26T02:00:00.000Z'],
  ['Asia/Kolkata', '2025-03-30T02:30', '2025-03-29T21:00:00.000Z'],
  ['Asia/Kathmandu', '2025-01-01T00:00', '2024-12-31T18:15:00.000Z'],
  ['Africa/Lagos', '2025-10-26T02:30', '2025-10-26T01:30:00.000Z'],
  ['America/St_Johns', '2025-07-01T12:00', '2025-07-01T14:30:00.000Z'],
  ['Australia/Lord_Howe', '2025-04-06T01:00', '2025-04-05T14:00:00.000Z'],
  ['UTC', '2025-03-30T02:30', '2025-03-30T02:30:00.000Z'],
  ['+05:30', '2025-01-01T00:00', '2024-12-31T18:30:00.000Z'],
  ['-03:00', '2025-01-01T00:00', '2025-01-01T03:00:00.000Z'],
])('%s %s', (name, text, expected) => {
  expect(instant(name, text)).toBe(expected);
  expect(zone(name).localOf(Date.parse(expected))).toBe(wall(text));
});

test('an hour that does not occur is taken as if the clock had not been put forward yet', () => {
  expect(instant('Europe/Berlin', '2025-03-30T02:30')).toBe('2025-03-30T01:30:00.000Z');
});

test('an hour that occurs twice means the one nearer to the arrival, or the first', () => {
  expect(instant('Europe/Berlin', '2025-10-26T02:30')).toBe('2025-10-26T00:30:00.000Z');
  expect(instant('Europe/Berlin', '2025-10-26T02:30', '2025-10-26T00:30:05Z')).toBe('2025-10-26T00:30:00.000Z');
  expect(instant('Europe/Berlin', '2025-10-26T02:30', '2025-10-26T01:30:05Z')).toBe('2025-10-26T01:30:00.000Z');
});

test('is the inverse of what Intl shows, for every half hour of a year', () => {
  for (const name of [
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
  ]) {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
    const { instantOf } = zone(name);
    for (let at = Date.UTC(2025, 0, 1); at < Date.UTC(2026, 0, 1); at += 1_800_000) {
      const shown = Date.parse(`${format.format(at).replace(' ', 'T')}Z`);
      // Told when it arrived, even the hour that occurs twice comes back exactly.
      expect(instantOf(shown, at)).toBe(at);
    }
  }
});

test.each(['Europe/Berlim', '', 'CET+1', '+25:00', '../etc/passwd', '+1'])('%j is no zone', (name) => {
  expect(parseTimeZone(name)).toBeUndefined();
});
