import type { MeterId } from './brand.js';

/** Hours of the day in local time; `to` may lie before `from`, for the night. */
export interface ActiveHours {
  readonly from: number;
  readonly to: number;
}

export interface Expectation {
  readonly intervalMs?: number;
  readonly activeHours?: ActiveHours;
}

/** When a meter that sends nothing is called silent. Plain data: it crosses between threads. */
export interface SilenceRules {
  readonly intervals: number;
  readonly atLeastMs: number;
  readonly atMostMs: number;
  readonly activeHours: ActiveHours;
  readonly meters: ReadonlyMap<MeterId, Expectation>;
}

export interface Heard {
  readonly meter: MeterId;
  /** Undefined: never, or not since the gateway started. */
  readonly lastMs: number | undefined;
  /** Nobody can have been heard before the gateway started. */
  readonly gatewayStartedMs: number;
  /** Used when none is configured. */
  readonly learnedIntervalMs: number | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

export const expectedIntervalMs = (rules: SilenceRules, meter: MeterId, learnedMs?: number): number | undefined =>
  rules.meters.get(meter)?.intervalMs ?? learnedMs;

/** Since when a meter is silent; undefined while it is not. */
export function silentSince(heard: Heard, nowMs: number, rules: SilenceRules): number | undefined {
  const { meter, lastMs = 0, gatewayStartedMs, learnedIntervalMs } = heard;
  const openedMs = openedAt(rules.meters.get(meter)?.activeHours ?? rules.activeHours, nowMs);
  if (openedMs === undefined) return undefined;
  const intervalMs = expectedIntervalMs(rules, meter, learnedIntervalMs) ?? 0;
  const allowedMs = Math.max(rules.atLeastMs, Math.min(rules.atMostMs, rules.intervals * intervalMs));
  const sinceMs = Math.max(lastMs, gatewayStartedMs, openedMs);
  return nowMs - sinceMs > allowedMs ? sinceMs : undefined;
}

/** When the hours in which something is expected began; undefined outside of them. */
function openedAt({ from, to }: ActiveHours, nowMs: number): number | undefined {
  const lasts = (to - from + DAY_HOURS) % DAY_HOURS;
  if (lasts === 0) return 0;
  const now = new Date(nowMs);
  const hours = now.getHours() + now.getMinutes() / 60 + now.getSeconds() / 3_600;
  const open = (hours - from + DAY_HOURS) % DAY_HOURS;
  return open < lasts ? nowMs - open * HOUR_MS : undefined;
}
