import { RATIO_FLOOR_W } from './day-shape.js';

/**
 * Whether a day looks like the meter's usual loads made smaller: how much likelier its slots become when all of them
 * are raised by one factor. Who is away has a low day that no factor makes usual; who reports a share has one.
 */
export interface UsualLevels {
  /** Log density of each level, by part of the day and bin. */
  readonly logDensity: Float64Array;
}

/** Tenths of a logarithm, up to 100 kW. */
const BINS_PER_LOG = 10;
const BINS = 93;
/** Three hours each. */
const BLOCKS = 8;
/** Of a slot of which nothing is known. */
const UNKNOWN = 255;
/** A level is as usual as its neighbours: a triangle with a standard deviation of two bins. */
const KERNEL = [1, 2, 3, 4, 5, 4, 3, 2, 1].map((weight) => weight / 25);
const REACH = (KERNEL.length - 1) / 2;
/** What every bin has before anything is counted. */
const PRIOR = 0.02;
/** By how many bins a day is raised: from a tenth more to ten times as much. */
const RAISES = [1, 2, 3, 4, 5, 7, 9, 11, 14, 18, 23];

export function levelsOf(powerW: Float32Array): Uint8Array {
  const levels = new Uint8Array(powerW.length);
  for (let slot = 0; slot < levels.length; slot++) {
    const watts = powerW[slot] as number;
    const level = Math.log(Math.max(watts, 0) / RATIO_FLOOR_W + 1) * BINS_PER_LOG;
    levels[slot] = Number.isNaN(watts) ? UNKNOWN : Math.min(level, BINS - 1);
  }
  return levels;
}

/** `days` as levelsOf gives them. */
export function learnLevels(days: readonly Uint8Array[]): UsualLevels {
  const counts = new Uint16Array(BLOCKS * BINS);
  for (const levels of days) countLevels(levels, counts);
  const logDensity = new Float64Array(BLOCKS * BINS);
  for (let block = 0; block < BLOCKS; block++) {
    const smooth = spread(counts.subarray(block * BINS, (block + 1) * BINS));
    const total = smooth.reduce((sum, count) => sum + count, 0);
    for (let bin = 0; bin < BINS; bin++) logDensity[block * BINS + bin] = Math.log((smooth[bin] as number) / total);
  }
  return { logDensity };
}

/** By how much the log density of a slot rises, on average, for the best factor; 0 when none makes the day more usual. */
export function scaledFit(powerW: Float32Array, { logDensity }: UsualLevels): number {
  const counts = new Uint16Array(BLOCKS * BINS);
  const known = countLevels(levelsOf(powerW), counts);
  const gains = new Float64Array(RAISES.length);
  for (let block = 0; block < BLOCKS; block++) {
    const highest = (block + 1) * BINS - 1;
    // From the first level on: nothing times any factor is nothing.
    for (let cell = block * BINS + 1; cell <= highest; cell++) {
      const count = counts[cell] as number;
      if (count === 0) continue;
      const asReported = logDensity[cell] as number;
      for (let at = 0; at < RAISES.length; at++) {
        const raised = logDensity[Math.min(cell + (RAISES[at] as number), highest)] as number;
        gains[at] = (gains[at] as number) + count * (raised - asReported);
      }
    }
  }
  return known === 0 ? 0 : Math.max(0, ...gains) / known;
}

/** Adds how often each level comes up in each part of the day, and tells how many slots are known. */
function countLevels(levels: Uint8Array, counts: Uint16Array): number {
  let known = 0;
  let slot = 0;
  for (let block = 0; block < BLOCKS; block++) {
    const end = Math.ceil(((block + 1) * levels.length) / BLOCKS);
    for (; slot < end; slot++) {
      const level = levels[slot] as number;
      if (level === UNKNOWN) continue;
      known += 1;
      const at = block * BINS + level;
      counts[at] = (counts[at] as number) + 1;
    }
  }
  return known;
}

function spread(counts: Uint16Array): Float64Array {
  const smooth = new Float64Array(BINS).fill(PRIOR);
  for (let bin = 0; bin < BINS; bin++) {
    const count = counts[bin] as number;
    if (count === 0) continue;
    for (let step = -REACH; step <= REACH; step++) {
      const at = bin + step;
      if (at >= 0 && at < BINS) smooth[at] = (smooth[at] as number) + count * (KERNEL[step + REACH] as number);
    }
  }
  return smooth;
}
