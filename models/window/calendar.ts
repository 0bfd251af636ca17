import type { EpochMs } from '../../agent/domain/brand.js';
import { isHoliday } from './holidays.js';
import { type UtcOffsetMs, utc } from './zone.js';

const DAY_MS = 86_400_000;
const HALF_DAY_MS = DAY_MS / 2;
/** 1970-01-01 was a Thursday; weeks begin on Monday here. */
const EPOCH_WEEKDAY = 3;

/**
 * Sine and cosine of the time of day and of its double, sine and cosine of the day of the week, day of rest now and in
 * half a day, public holiday.
 */
export const CALENDAR_SIZE = 9;

/** Where the meters stand: what turns an instant into a time of day and a day into a holiday. */
export interface Place {
  readonly utcOffsetMs: UtcOffsetMs;
  /** ISO 3166 code of a country in holidays.ts; none = no holidays. */
  readonly country?: string | undefined;
}

export const NOWHERE: Place = { utcOffsetMs: utc };

/** Writes CALENDAR_SIZE values at `offset`. */
export function writeCalendar(out: Float32Array, offset: number, atMs: EpochMs, place: Place = NOWHERE): void {
  const localMs = atMs + place.utcOffsetMs(atMs);
  const day = Math.floor(localMs / DAY_MS);
  const timeOfDay = (localMs / DAY_MS - day) * 2 * Math.PI;
  const dayOfWeek = (weekdayOf(day) / 7) * 2 * Math.PI;
  out[offset] = Math.sin(timeOfDay);
  out[offset + 1] = Math.cos(timeOfDay);
  out[offset + 2] = Math.sin(2 * timeOfDay);
  out[offset + 3] = Math.cos(2 * timeOfDay);
  out[offset + 4] = Math.sin(dayOfWeek);
  out[offset + 5] = Math.cos(dayOfWeek);
  out[offset + 6] = isRest(day, place) ? 1 : 0;
  out[offset + 7] = isRest(Math.floor((localMs + HALF_DAY_MS) / DAY_MS), place) ? 1 : 0;
  out[offset + 8] = isHoliday(day, place.country) ? 1 : 0;
}

const weekdayOf = (day: number): number => (((day + EPOCH_WEEKDAY) % 7) + 7) % 7;

const isRest = (day: number, { country }: Place): boolean => weekdayOf(day) >= 5 || isHoliday(day, country);
