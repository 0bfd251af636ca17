import type { EpochMs } from '../../agent/domain/brand.js';

/** How far local time is ahead of UTC at a moment. */
export type UtcOffsetMs = (atMs: EpochMs) => number;

export const utc: UtcOffsetMs = () => 0;

/** Offsets change on quarter hours only, so that one answer serves all meters of a tick. */
const STEP_MS = 900_000;
/** A week of five-minute origins in training comes back to the same quarter hours; more is forgotten at once. */
const MOST_REMEMBERED = 100_000;

/** The offset of an IANA time zone, summer time included; throws RangeError where there is no such zone. */
export function zoneOffset(timeZone: string): UtcOffsetMs {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const known = new Map<number, number>();
  return (atMs) => {
    const step = Math.floor(atMs / STEP_MS);
    const remembered = known.get(step);
    if (remembered !== undefined) return remembered;
    const part = Object.fromEntries(
      format.formatToParts(step * STEP_MS).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = part;
    const offset = Date.UTC(year, month - 1, day, hour, minute) - step * STEP_MS;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(step, offset);
    return offset;
  };
}
