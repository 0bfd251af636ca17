import type { Clock } from '../domain/clock.js';
import type { StreamName } from '../domain/stored.js';
import type { ReadSource } from './source.js';

export type Backlog = Readonly<Record<StreamName, number>>;

export interface BacklogView {
  read(): Backlog;
}

// Counting goes through as many rows as there are, millions after an outage; nobody needs that fresher than this.
const COUNTED_FOR_MS = 10_000;
/** A short count is done anew each time: whoever waits for zero must not be told an old one. */
const SHORT_ROWS = 10_000;

/** How many rows the centre does not have yet. */
export function createBacklogView({
  source,
  clock,
}: {
  readonly source: ReadSource;
  readonly clock: Clock;
}): BacklogView {
  let counted: { readonly atMs: number; readonly backlog: Backlog } | undefined;
  return {
    read() {
      const nowMs = clock.monotonicMs();
      const stale = counted === undefined || nowMs - counted.atMs >= COUNTED_FOR_MS;
      if (counted === undefined || stale || rowsOf(counted.backlog) < SHORT_ROWS) {
        counted = { atMs: nowMs, backlog: source.backlog() };
      }
      return counted.backlog;
    },
  };
}

export const rowsOf = (backlog: Backlog): number => Object.values(backlog).reduce((total, rows) => total + rows, 0);
