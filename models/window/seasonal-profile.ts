/** What is usual at each time of the day: by slot of the UTC day, watts, NaN where too little is known. */
export interface SeasonalProfile {
  readonly median: Float32Array;
  /** Median distance from the median. */
  readonly spread: Float32Array;
}

/** The days that a profile looks back on: four of each weekday. */
export const PROFILE_DAYS = 28;
/** Of fewer values neither median nor spread says anything. */
export const PROFILE_LEAST_DAYS = 3;

export const emptyProfile = (slotsPerDay: number): SeasonalProfile => ({
  median: new Float32Array(slotsPerDay).fill(Number.NaN),
  spread: new Float32Array(slotsPerDay).fill(Number.NaN),
});

/** `days` holds whole UTC days of mean power one after the other, NaN where a slot is missing; their order is no matter. */
export function seasonalProfile(days: Float32Array, slotsPerDay: number): SeasonalProfile {
  const profile = emptyProfile(slotsPerDay);
  const values = new Float32Array(Math.ceil(days.length / slotsPerDay));
  for (let slot = 0; slot < slotsPerDay; slot++) {
    let known = 0;
    for (let at = slot; at < days.length; at += slotsPerDay) {
      const value = days[at] ?? Number.NaN;
      if (!Number.isNaN(value)) values[known++] = value;
    }
    if (known < PROFILE_LEAST_DAYS) continue;
    const present = values.subarray(0, known);
    const median = medianOf(present);
    for (let index = 0; index < known; index++) present[index] = Math.abs((present[index] ?? 0) - median);
    profile.median[slot] = median;
    profile.spread[slot] = medianOf(present);
  }
  return profile;
}

function medianOf(values: Float32Array): number {
  values.sort();
  const middle = values.length >>> 1;
  const upper = values[middle] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? Number.NaN) + upper) / 2;
}
