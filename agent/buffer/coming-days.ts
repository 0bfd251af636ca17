/**
 * Finished days of which readings still come: an import sends a day's readings within minutes of each other, and so does
 * a meter that was cut off. What of a day was missing when it was packed is lost.
 */
export interface ComingDays {
  heard(day: number, nowMs: number): void;
  has(day: number, nowMs: number): boolean;
  /** Makes room: days that are quiet by now. */
  forget(nowMs: number): void;
  readonly size: number;
}

const QUIET_MS = 10 * 60_000;
/** Some megabytes; no more are told from each other. */
const MOST_DAYS = 50_000;

/** `isResumed`: readings came before the restart, and it is not known of which days. */
export function createComingDays({ isResumed }: { readonly isResumed: boolean }): ComingDays {
  /** When each was last heard of. */
  const days = new Map<number, number>();
  let anyHeardMs = Number.NEGATIVE_INFINITY;
  let isStarting = isResumed;

  function start(nowMs: number): void {
    if (isStarting) anyHeardMs = nowMs;
    isStarting = false;
  }

  return {
    heard(day, nowMs) {
      start(nowMs);
      if (days.size < MOST_DAYS || days.has(day)) days.set(day, nowMs);
      else anyHeardMs = nowMs;
    },
    has(day, nowMs) {
      start(nowMs);
      return nowMs < Math.max(anyHeardMs, days.get(day) ?? Number.NEGATIVE_INFINITY) + QUIET_MS;
    },
    forget(nowMs) {
      for (const [day, heardMs] of days) if (nowMs >= heardMs + QUIET_MS) days.delete(day);
    },
    get size() {
      return days.size;
    },
  };
}
