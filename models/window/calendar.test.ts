import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { CALENDAR_SIZE, NOWHERE, type Place, writeCalendar } from './calendar.js';
import { HOLIDAY_COUNTRIES, isHoliday } from './holidays.js';
import { zoneOffset } from './zone.js';

const DAY_MS = 86_400_000;

function calendarOf(iso: string, place: Place = NOWHERE): number[] {
  const out = new Float32Array(CALENDAR_SIZE);
  writeCalendar(out, 0, epochMs(Date.parse(iso)), place);
  return Array.from(out, (value) => Math.round(value * 1e6) / 1e6 + 0);
}

const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

test('a quarter of the day is a quarter of the circle', () => {
  expect(calendarOf('2024-01-01T00:00:00Z').slice(0, 4)).toEqual([0, 1, 0, 1]);
  expect(calendarOf('2024-01-01T06:00:00Z').slice(0, 4)).toEqual([1, 0, 0, -1]);
  expect(calendarOf('2024-01-01T12:00:00Z').slice(0, 4)).toEqual([0, -1, 0, 1]);
});

test('weeks begin on Monday, Saturday rests, and a Friday noon is half a day before rest', () => {
  expect(calendarOf('2024-01-01T00:00:00Z').slice(4)).toEqual([0, 1, 0, 0, 0]);
  expect(calendarOf('2024-01-05T11:55:00Z').slice(6)).toEqual([0, 0, 0]);
  expect(calendarOf('2024-01-05T12:00:00Z').slice(6)).toEqual([0, 1, 0]);
  expect(calendarOf('2024-01-06T00:00:00Z').slice(6)).toEqual([1, 1, 0]);
  expect(calendarOf('1969-12-28T12:00:00Z')[6]).toBe(1);
});

test('the same wall clock gives the same calendar, in winter and in summer', () => {
  const paris = { utcOffsetMs: zoneOffset('Europe/Paris') };
  expect(calendarOf('2024-01-07T23:30:00Z', paris)).toEqual(calendarOf('2024-01-08T00:30:00Z'));
  expect(calendarOf('2024-07-07T22:30:00Z', paris)).toEqual(calendarOf('2024-07-08T00:30:00Z'));
});

test('summer time begins and ends at its hour, also where it is half an hour or a zone is off by a quarter', () => {
  const hours = (zone: string, iso: string) => zoneOffset(zone)(epochMs(Date.parse(iso))) / 3_600_000;
  expect([hours('Europe/Paris', '2024-03-31T00:59:00Z'), hours('Europe/Paris', '2024-03-31T01:00:00Z')]).toEqual([
    1, 2,
  ]);
  expect([hours('Europe/Paris', '2024-10-27T00:59:00Z'), hours('Europe/Paris', '2024-10-27T01:00:00Z')]).toEqual([
    2, 1,
  ]);
  expect([
    hours('Australia/Lord_Howe', '2024-01-01T00:00:00Z'),
    hours('Australia/Lord_Howe', '2024-06-01T00:00:00Z'),
  ]).toEqual([11, 10.5]);
  expect(hours('Asia/Kathmandu', '2024-06-01T00:00:00Z')).toBe(5.75);
  expect(hours('America/St_Johns', '2024-01-01T00:00:00Z')).toBe(-3.5);
  expect(() => zoneOffset('Europe/Atlantis')).toThrow(RangeError);
});

test.each([
  ['GB', '2013-03-29', 'Good Friday'],
  ['GB', '2013-05-06', 'first Monday of May'],
  ['GB', '2013-08-26', 'last Monday of August'],
  ['GB', '2013-12-26', 'Boxing Day'],
  ['FR', '2007-05-17', 'Ascension'],
  ['FR', '2007-05-28', 'Whit Monday'],
  ['FR', '2007-07-14', 'national holiday'],
  ['DE', '2024-10-03', 'unity'],
  ['US', '2024-11-28', 'Thanksgiving'],
  ['US', '2024-05-27', 'Memorial Day'],
  ['MA', '2017-11-18', 'independence'],
])('%s rests on %s, %s', (country, date) => {
  expect(isHoliday(dayOf(date), country)).toBe(true);
  expect(isHoliday(dayOf(date) + 1, country) && isHoliday(dayOf(date) + 2, country)).toBe(false);
});

test('without a country, or with an unknown one, there are no holidays; each known one has some', () => {
  expect(isHoliday(dayOf('2024-12-25'), undefined)).toBe(false);
  expect(isHoliday(dayOf('2024-12-25'), 'XX')).toBe(false);
  for (const country of HOLIDAY_COUNTRIES) {
    const year = Array.from({ length: 366 }, (_, day) => isHoliday(dayOf('2024-01-01') + day, country));
    expect(year.filter(Boolean).length, country).toBeGreaterThan(2);
  }
});

test('a holiday rests like a weekend and is marked as one', () => {
  const place = { utcOffsetMs: zoneOffset('Europe/London'), country: 'GB' };
  expect(calendarOf('2013-12-25T10:00:00Z', place).slice(6)).toEqual([1, 1, 1]);
});
