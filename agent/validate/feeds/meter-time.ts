import type { TimeFormat, TimeMapping } from '../../domain/feed-mapping.js';
import type { TimeZone } from '../../domain/time-zone.js';
import { numberOf, saysNothing } from './value.js';

/** Undefined: there is no time; `wrong`: there is one that none of the formats can read. */
export type ReadTime = (raw: unknown, nearMs: number | undefined) => number | 'wrong' | undefined;

const MINUTE_MS = 60_000;
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(?:(Z)|([+-])(\d\d):?(\d\d)?))?$/i;
const DSMR = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$/;

export function createReadTime({ format }: Pick<TimeMapping, 'format'>, zone: TimeZone): ReadTime {
  const readers = (typeof format === 'string' ? [format] : format).map((name) => READERS[name]);
  return (raw, nearMs) => {
    if (saysNothing(raw)) return undefined;
    for (const read of readers) {
      const found = read(raw, zone, nearMs);
      if (found !== undefined) return found;
    }
    return 'wrong';
  };
}

type Reader = (raw: unknown, zone: TimeZone, nearMs: number | undefined) => number | undefined;

const READERS: Readonly<Record<TimeFormat, Reader>> = {
  epoch_s: (raw) => epoch(raw, 1_000),
  epoch_ms: (raw) => epoch(raw, 1),
  iso(raw, zone, nearMs) {
    const match = typeof raw === 'string' ? ISO.exec(raw) : null;
    if (match === null) return undefined;
    const [, year, month, day, hour, minute, second = '0', fraction = '', utc, sign, offsetHours, offsetMinutes = '0'] =
      match;
    const wallMs = wallTime([year, month, day, hour, minute, second].map(Number));
    if (wallMs === undefined) return undefined;
    const atMs = wallMs + Number(fraction.padEnd(3, '0').slice(0, 3));
    if (utc !== undefined) return atMs;
    if (sign === undefined) return zone.instantOf(atMs, nearMs);
    const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE_MS;
    return sign === '-' ? atMs + offsetMs : atMs - offsetMs;
  },
  /** P1 telegrams: S is summer time, W winter time, of the one zone where such meters stand. */
  dsmr(raw) {
    const match = typeof raw === 'string' ? DSMR.exec(raw) : null;
    if (match === null) return undefined;
    const [year = 0, ...rest] = match.slice(1, 7).map(Number);
    const wallMs = wallTime([2_000 + year, ...rest]);
    return wallMs === undefined ? undefined : wallMs - (match[7] === 'S' ? 120 : 60) * MINUTE_MS;
  },
};

function epoch(raw: unknown, unitMs: number): number | undefined {
  const number = numberOf(raw);
  if (typeof number !== 'number') return undefined;
  const atMs = Math.round(number * unitMs);
  return Number.isSafeInteger(atMs) ? atMs : undefined;
}

/** As if it were UTC; undefined for a 31st of February. */
function wallTime([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]) {
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC takes the years 0 to 99 for those of 1900
  if (date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second);
}
