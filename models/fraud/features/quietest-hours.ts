import { logOf } from './log-power.js';

/** Finer slots are joined, so that a compressor's cycles look alike whatever the width of a slot. */
const MOST_PARTS = 48;
const HOURS = 4;
const DAY_HOURS = 24;

/**
 * Standard deviation of the logs of power in the quietest four hours of a day of slots; Infinity where fewer are known.
 * A cap or a dead meter leaves hours that are flat as never before, shares drawn anew for each slot leave none that are
 * quiet, and who is merely away leaves them as they were.
 */
export function spreadOfQuietestHours(powerW: Float32Array): number {
  const parts = Math.min(powerW.length, MOST_PARTS);
  const logs = knownLogs(powerW, parts);
  const length = Math.round((parts * HOURS) / DAY_HOURS);
  // Sums of what differs from the first: those of the logs themselves would round flat hours away.
  const [first = 0] = logs;
  let sum = 0;
  let squares = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let part = 0; part < logs.length; part++) {
    const entering = (logs[part] as number) - first;
    sum += entering;
    squares += entering * entering;
    if (part >= length) {
      const leaving = (logs[part - length] as number) - first;
      sum -= leaving;
      squares -= leaving * leaving;
    }
    if (part >= length - 1) least = Math.min(least, squares / length - (sum / length) ** 2);
  }
  return Math.sqrt(Math.max(least, 0));
}

/** Of the mean power of each part of the day; parts of which nothing is known are left out. */
function knownLogs(powerW: Float32Array, parts: number): Float64Array {
  const logs = new Float64Array(parts);
  let count = 0;
  let slot = 0;
  for (let part = 0; part < parts; part++) {
    const end = Math.ceil(((part + 1) * powerW.length) / parts);
    let sum = 0;
    let known = 0;
    for (; slot < end; slot++) {
      const watts = powerW[slot] as number;
      if (Number.isNaN(watts)) continue;
      sum += watts;
      known += 1;
    }
    if (known > 0) logs[count++] = logOf(sum / known);
  }
  return logs.subarray(0, count);
}
