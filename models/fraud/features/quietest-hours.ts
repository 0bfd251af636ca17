/** A refrigerator and what stands by: every home has hours that are quiet in its own way. */
const HOURS = 4;
const DAY_HOURS = 24;

/**
 * Standard deviation of the logs of power in the quietest hours of a day, of its known slots in order of time; Infinity
 * where fewer are known. A cap or a dead meter leaves hours that are flat as never before, shares drawn anew for each
 * slot leave none that are quiet, and who is merely away leaves them as they were.
 */
export function spreadOfQuietestHours(logs: Float64Array, slotsPerDay: number): number {
  const length = Math.round((slotsPerDay * HOURS) / DAY_HOURS);
  // Sums of what differs from the first: those of the logs themselves would round flat hours away.
  const [first = 0] = logs;
  let sum = 0;
  let squares = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < logs.length; slot++) {
    const entering = (logs[slot] as number) - first;
    sum += entering;
    squares += entering * entering;
    if (slot >= length) {
      const leaving = (logs[slot - length] as number) - first;
      sum -= leaving;
      squares -= leaving * leaving;
    }
    if (slot >= length - 1) least = Math.min(least, squares / length - (sum / length) ** 2);
  }
  return Math.sqrt(Math.max(least, 0));
}
