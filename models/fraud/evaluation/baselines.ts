import type { Days } from '../day-model.js';
import { logOf } from '../features/evidence.js';
import { membersOf } from '../feeder/balance.js';
import { dayOf, type FleetPower, isComplete, weekdayOf } from '../fleet-power.js';
import { scoreRow } from '../forest/forest.js';
import { trainForest } from '../forest/forest-training.js';

/** By meter, then by day. */
type Scores = Float64Array[];

const RAW_FEATURES = 8;

/** What is usually done: a forest over eight figures of each meter-day, without any past of the meter's own. */
export function rawForest(fleet: FleetPower, clean: Days, seed: number): Scores {
  const figures = fleet.meters.map(({ powerW }) =>
    Array.from({ length: fleet.days }, (_, day) => rawFigures(dayOf(powerW, fleet.slotsPerDay, day))),
  );
  const rows = figures.flatMap((days) => days.slice(clean.from, clean.to + 1).filter((row) => !row.some(Number.isNaN)));
  const flat = new Float32Array(rows.length * RAW_FEATURES);
  for (const [index, row] of rows.entries()) flat.set(row, index * RAW_FEATURES);
  const forest = trainForest({ rows: flat, features: RAW_FEATURES, trees: 200, subsample: 256, seed });
  return figures.map((days) =>
    Float64Array.from(days, (row) => (row.some(Number.isNaN) ? Number.NaN : scoreRow(forest, row))),
  );
}

/** Mean, highest, lowest, spread, night and evening means, share of zeros, likeness of neighbouring slots. */
function rawFigures(powerW: Float32Array): Float32Array {
  const known = powerW.filter(Number.isFinite);
  const count = known.length;
  const mean = known.reduce((sum, watts) => sum + watts, 0) / count;
  const spread = Math.sqrt(known.reduce((sum, watts) => sum + (watts - mean) ** 2, 0) / count);
  const between = (from: number, to: number) => {
    const part = powerW.subarray((from * powerW.length) / 24, (to * powerW.length) / 24).filter(Number.isFinite);
    return part.reduce((sum, watts) => sum + watts, 0) / part.length;
  };
  let likeness = 0;
  for (let slot = 1; slot < count; slot++)
    likeness += ((known[slot] as number) - mean) * ((known[slot - 1] as number) - mean);
  return Float32Array.of(
    mean,
    Math.max(...known),
    Math.min(...known),
    spread,
    between(0, 6),
    between(17, 22),
    known.filter((watts) => watts < 1).length / count,
    spread > 0 ? likeness / count / spread ** 2 : 0,
  );
}

/** The day's energy against what the meter used at the same hours of the week in the ten weeks before. */
export function bestRule(fleet: FleetPower): Scores {
  return fleet.meters.map(({ powerW }) => {
    const means = Array.from({ length: fleet.days }, (_, day) => meanOf(dayOf(powerW, fleet.slotsPerDay, day)));
    return Float64Array.from(means, (mean, day) => {
      let sum = 0;
      let count = 0;
      for (let past = 0; past <= day - RULE_DAYS.to; past++) {
        if (past < day - RULE_DAYS.from || weekdayOf(fleet, past) !== weekdayOf(fleet, day)) continue;
        const value = means[past] as number;
        if (Number.isNaN(value)) continue;
        sum += value;
        count += 1;
      }
      return count === 0 ? Number.NaN : logOf(sum / count) - logOf(mean);
    });
  });
}

const RULE_DAYS = { from: 84, to: 14 };

/** The share of the feeder's energy that nobody reports, the same for all of its customers. */
export function lossRatioRule(fleet: FleetPower): Scores {
  const scores = fleet.meters.map(() => new Float64Array(fleet.days).fill(Number.NaN));
  for (const { feeder, powerW } of fleet.feeders.filter(isComplete)) {
    const members = membersOf(fleet, feeder);
    for (let day = 0; day < fleet.days; day++) {
      const inW = meanOf(dayOf(powerW, fleet.slotsPerDay, day));
      const outW = members.reduce(
        (sum, member) =>
          sum + meanOf(dayOf((fleet.meters[member] as { powerW: Float32Array }).powerW, fleet.slotsPerDay, day)),
        0,
      );
      for (const member of members) {
        const score = scores[member];
        if (score !== undefined) score[day] = (inW - outW) / inW;
      }
    }
  }
  return scores;
}

function meanOf(powerW: Float32Array): number {
  const known = powerW.filter(Number.isFinite);
  return known.reduce((sum, watts) => sum + watts, 0) / known.length;
}
