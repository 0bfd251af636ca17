import { type EpochMs, epochMs } from '../domain/brand.js';
import type { TimeSource } from '../domain/reading.js';
import type { Refusal } from './feeds/feed.js';

export interface TimeRules {
  readonly requireTime: boolean;
  /** What happens to a reading whose meter has a clock that was never set or runs ahead. */
  readonly badClock: 'refuse' | 'gateway_time';
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
}

export interface Arrival {
  readonly receivedAtMs: EpochMs;
  /** Whether the gateway knows the time itself; else it is no measure for anybody else's. */
  readonly isTimeKnown: boolean;
  /** It is the only one of its meter in the payload: only then can the time of arrival be its own. */
  readonly isAlone: () => boolean;
}

export type Timed =
  | { readonly source: Extract<TimeSource, 'meter'>; readonly takenAtMs: EpochMs }
  | { readonly source: Extract<TimeSource, 'gateway'>; readonly clockOff: boolean };

/** Clocks that nobody has set begin at 1970, 2000 or the year of their firmware. */
const UNSET_BEFORE_MS = Date.UTC(2015, 0, 1);
/** As far as a calendar goes (ECMAScript's Date). */
const CALENDAR_MS = 8.64e15;

const ARRIVAL: Timed = { source: 'gateway', clockOff: false };
const ARRIVAL_INSTEAD: Timed = { source: 'gateway', clockOff: true };

/** Whose time a reading has. A meter's own is kept as it is when it can be true. */
export function timeOf(ownTimeMs: number | undefined, arrival: Arrival, rules: TimeRules): Timed | Refusal {
  if (ownTimeMs === undefined) {
    if (rules.requireTime) return { reason: 'time_missing', detail: 'validate.require_time is set' };
    return ARRIVAL;
  }
  if (!(Math.abs(ownTimeMs) <= CALENDAR_MS)) return { reason: 'bad_time', detail: `${ownTimeMs} is no date` };
  const own: Timed = { source: 'meter', takenAtMs: epochMs(Math.floor(ownTimeMs)) };
  const { receivedAtMs, isAlone, isTimeKnown } = arrival;
  if (!isTimeKnown || receivedAtMs < UNSET_BEFORE_MS) {
    return ownTimeMs < UNSET_BEFORE_MS && receivedAtMs >= UNSET_BEFORE_MS && isAlone() ? ARRIVAL_INSTEAD : own;
  }
  const replaced = () => rules.badClock === 'gateway_time' && isAlone();
  if (ownTimeMs < UNSET_BEFORE_MS) {
    return replaced() ? ARRIVAL_INSTEAD : { reason: 'bad_clock', detail: `${iso(ownTimeMs)}: the clock is not set` };
  }
  if (ownTimeMs > receivedAtMs + rules.maxFutureMs) {
    return replaced() ? ARRIVAL_INSTEAD : { reason: 'in_future', detail: `${iso(ownTimeMs)} lies in the future` };
  }
  if (ownTimeMs < receivedAtMs - rules.maxAgeMs) {
    return { reason: 'too_old', detail: `${iso(ownTimeMs)} is too long ago` };
  }
  return own;
}

/** Of a reading that was taken in before the time was known: whether it would have been kept with its own time. */
export const canBeOwn =
  ({ maxAgeMs, maxFutureMs }: TimeRules) =>
  (takenAtMs: number, receivedAtMs: number): boolean =>
    takenAtMs >= UNSET_BEFORE_MS && takenAtMs <= receivedAtMs + maxFutureMs && takenAtMs >= receivedAtMs - maxAgeMs;

export const iso = (atMs: number): string => new Date(atMs).toISOString();
