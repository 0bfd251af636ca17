import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { CALENDAR_SIZE, writeCalendar } from './calendar.js';

function calendarOf(iso: string, offsetMs = 0): number[] {
  const out = new Float32Array(CALENDAR_SIZE);
  writeCalendar(out, 0, epochMs(Date.parse(iso)), () => offsetMs);
  return Array.from(out, (value) => Math.round(value * 1e6) / 1e6 + 0);
}

test('time of day goes round once a day', () => {
  expect(calendarOf('2024-01-01T06:00:00Z').slice(0, 2)).toEqual([1, 0]);
  expect(calendarOf('2024-01-01T12:00:00Z').slice(0, 2)).toEqual([0, -1]);
});

test('a week begins on Monday and ends with a weekend', () => {
  expect(calendarOf('2024-01-01T00:00:00Z').slice(2)).toEqual([0, 1, 0]);
  expect(calendarOf('2024-01-05T23:55:00Z')[4]).toBe(0);
  expect(calendarOf('2024-01-06T00:00:00Z')[4]).toBe(1);
  expect(calendarOf('1969-12-28T12:00:00Z')[4]).toBe(1);
});

test('local time moves the hour and, near midnight, the day', () => {
  expect(calendarOf('2024-01-07T23:30:00Z', 3_600_000)).toEqual(calendarOf('2024-01-08T00:30:00Z'));
});
