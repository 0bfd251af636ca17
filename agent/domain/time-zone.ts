/** Which instant a clock on the wall means. */
export interface TimeZone {
  readonly name: string;
  /**
   * The instant of a local time, itself given as if it were UTC. An hour that occurs twice means the instant nearer
   * to `nearMs`, or the first without one; one that does not occur is taken as if the clock had not yet been put forward.
   */
  instantOf(localMs: number, nearMs?: number): number;
  /** What such a clock shows at an instant, given as if it were UTC. */
  localOf(atMs: number): number;
}

export const TIME_ZONE_RULE = 'a time zone like Europe/Berlin, UTC or +01:00';

/** Offsets change on a quarter of an hour. A fleet sends times of now, so that very few quarters are ever asked for. */
const QUARTER_MS = 900_000;
const MAX_CACHED = 4_096;
const DAY_MS = 86_400_000;

export function parseTimeZone(name: string): TimeZone | undefined {
  const fixed = parseOffset(name);
  if (fixed !== undefined) return { name, instantOf: (localMs) => localMs - fixed, localOf: (atMs) => atMs + fixed };
  try {
    return zoneOf(name, new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' }));
  } catch (error) {
    if (error instanceof RangeError) return undefined; // how Intl says that it knows no such zone
    throw error;
  }
}

function zoneOf(name: string, format: Intl.DateTimeFormat): TimeZone {
  const cache = new Map<number, number>();

  function offsetAt(utcMs: number): number {
    const quarter = Math.floor(utcMs / QUARTER_MS);
    const known = cache.get(quarter);
    if (known !== undefined) return known;
    const text = format.formatToParts(quarter * QUARTER_MS).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const offset = parseOffset(text.slice('GMT'.length)) ?? 0;
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(quarter, offset);
    return offset;
  }

  return {
    name,
    localOf: (atMs) => atMs + offsetAt(atMs),
    instantOf(localMs, nearMs) {
      // No zone changes twice within two days: these are the only offsets that the local time can have.
      const before = offsetAt(localMs - DAY_MS);
      const after = offsetAt(localMs + DAY_MS);
      const first = localMs - before;
      if (before === after) return first;
      const second = localMs - after;
      const firstIsReal = offsetAt(first) === before;
      if (offsetAt(second) !== after) return first;
      if (!firstIsReal) return second;
      return nearMs !== undefined && Math.abs(nearMs - second) < Math.abs(nearMs - first) ? second : first;
    },
  };
}

/** `+01:00`, or `-00:01:15` as Intl has it for the years of local mean time. */
function parseOffset(text: string): number | undefined {
  const match = /^([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes, seconds = '0'] = match;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1_000 : 1_000) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
}
