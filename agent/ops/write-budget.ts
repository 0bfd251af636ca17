export interface WriteBudget {
  /** Longest wait for more readings before a commit. */
  readonly windowMs: number;
  /** Once a minute. `perDay`: what the last minutes would come to. */
  update(written: { readonly lastDay: number; readonly perDay: number }): void;
}

interface Rules {
  /** Bytes that a day may write. */
  readonly bytesPerDay: number;
  readonly windowMs: number;
}

/** Meters wait so long for their acknowledgement at most: far below the seconds after which the hastiest clients give up. */
const LONGEST_MS = 1_000;
const FIRST_STEP_MS = 20;
/** Below so much of the budget the window narrows again. */
const WELL_BELOW = 0.8;

/**
 * Fewer commits write fewer bytes for the same readings: while more was written in the last day than the budget allows,
 * the window of the group commit widens until the present rate fits, and narrows again afterwards.
 */
export function createWriteBudget({ bytesPerDay, windowMs: ownMs }: Rules): WriteBudget {
  let windowMs = ownMs;
  return {
    get windowMs() {
      return windowMs;
    },
    update({ lastDay, perDay }) {
      if (lastDay > bytesPerDay && perDay > bytesPerDay) {
        windowMs = Math.max(ownMs, Math.min(LONGEST_MS, Math.max(FIRST_STEP_MS, windowMs * 2)));
      } else if (lastDay <= bytesPerDay || perDay < WELL_BELOW * bytesPerDay) {
        windowMs = Math.max(ownMs, Math.floor(windowMs / 2));
      }
    },
  };
}
