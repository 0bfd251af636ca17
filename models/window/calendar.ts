import type { EpochMs } from '../../agent/domain/brand.js';

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday; weeks begin on Monday here. */
const EPOCH_WEEKDAY = 3;

/** Sine and cosine of the time of day, sine and cosine of the day of the week, weekend. */
export const CALENDAR_SIZE = 5;

/** How far local time is ahead of UTC at a moment; summer time is the caller's knowledge. */
export type UtcOffsetMs = (atMs: EpochMs) => number;

const UTC: UtcOffsetMs = () => 0;

/** Writes CALENDAR_SIZE values at `offset`. */
export function writeCalendar(out: Float32Array, offset: number, atMs: EpochMs, utcOffsetMs: UtcOffsetMs = UTC): void {
  const localDays = (atMs + utcOffsetMs(atMs)) / DAY_MS;
  const timeOfDay = (localDays - Math.floor(localDays)) * 2 * Math.PI;
  const weekday = (((Math.floor(localDays) + EPOCH_WEEKDAY) % 7) + 7) % 7;
  const dayOfWeek = (weekday / 7) * 2 * Math.PI;
  out[offset] = Math.sin(timeOfDay);
  out[offset + 1] = Math.cos(timeOfDay);
  out[offset + 2] = Math.sin(dayOfWeek);
  out[offset + 3] = Math.cos(dayOfWeek);
  out[offset + 4] = weekday >= 5 ? 1 : 0;
}
