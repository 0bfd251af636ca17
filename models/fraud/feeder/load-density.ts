import { RATIO_FLOOR_W } from '../features/day-shape.js';

/**
 * How usual a load is for one meter: of each slot by itself at its time of day, and of its step from the slot before.
 * A thief's true load is usual for the thief and for nobody else.
 */
export interface LoadDensity {
  /** The logarithm of the density of a load at a slot of the day; loads as logLoad gives them. */
  level(load: number, slotOfDay: number): number;
  step(load: number, before: number): number;
}

/** Loads are compared as logarithms, from 0 on; NaN stays NaN. */
export const logLoad = (watts: number): number => Math.log1p(Math.max(watts, 0) / RATIO_FLOOR_W);

/** Half of an octave per bin, from nothing to 100 kW. */
const LEVEL_BINS = 28;
const STEP_BINS = 25;
const BINS_PER_LOG = 2 / Math.LN2;
/** Three hours each. */
const BLOCKS = 8;
/** Below a watt nothing is drawn. */
const NOTHING = logLoad(1);
/** What every bin is given before anything is counted; spread by the neighbours' counts. */
const PRIOR = 0.5;

const levelBin = (load: number): number =>
  load < NOTHING ? 0 : 1 + Math.min(Math.floor(load * BINS_PER_LOG), LEVEL_BINS - 2);

const stepBin = (load: number, before: number): number =>
  Math.min(Math.max(Math.round((load - before) * 2 * BINS_PER_LOG) + (STEP_BINS - 1) / 2, 0), STEP_BINS - 1);

/** Learns from the slots of whole days; what is NaN is left out. */
export function learnDensity(days: readonly Float32Array[], slotsPerDay: number): LoadDensity {
  const levels = new Float64Array(BLOCKS * LEVEL_BINS);
  const steps = new Float64Array(STEP_BINS);
  const blockOf = (slot: number) => Math.floor((slot * BLOCKS) / slotsPerDay);
  for (const powerW of days) {
    let before = Number.NaN;
    for (const [slot, watts] of powerW.entries()) {
      const load = logLoad(watts);
      if (!Number.isNaN(load)) {
        const at = blockOf(slot) * LEVEL_BINS + levelBin(load);
        levels[at] = (levels[at] as number) + 1;
        if (!Number.isNaN(before)) {
          const bin = stepBin(load, before);
          steps[bin] = (steps[bin] as number) + 1;
        }
      }
      before = load;
    }
  }
  const logLevels = Array.from({ length: BLOCKS }, (_, block) =>
    logDensity(levels.subarray(block * LEVEL_BINS, (block + 1) * LEVEL_BINS)),
  );
  const logSteps = logDensity(steps);
  return {
    level: (load, slotOfDay) => logLevels[blockOf(slotOfDay)]?.[levelBin(load)] as number,
    step: (load, before) => logSteps[stepBin(load, before)] as number,
  };
}

/** A quarter of each count belongs to either neighbour: a bin is narrower than what is known. */
function logDensity(counts: Float64Array): Float64Array {
  const smooth = counts.map((count, bin) => {
    const below = counts[bin - 1] ?? 0;
    const above = counts[bin + 1] ?? 0;
    return 0.5 * count + 0.25 * (below + above) + PRIOR;
  });
  const total = smooth.reduce((sum, count) => sum + count, 0);
  return smooth.map((count) => Math.log(count / total));
}
