import { ROW_WIDTH } from '../features/evidence-row.js';
import { gatherFleetEvidence } from '../features/fleet-evidence.js';
import { balanceFeeder, type FeederBalance, fitBalance, gateOf } from '../feeder/balance.js';
import { combine } from '../feeder/combination.js';
import { suspectDay } from '../feeder/suspicion.js';
import { createUsualLoads } from '../feeder/usual-load.js';
import type { FleetPower } from '../fleet-power.js';
import { type IsolationForest, scoreRow } from '../forest/forest.js';
import { trainForest } from '../forest/forest-training.js';

/** As many as scikit-learn's forest was tried with; their number hardly matters above a hundred. */
const TREES = 200;
const SUBSAMPLE = 256;

/** Days of the fleet, both included. */
export interface Days {
  readonly from: number;
  readonly to: number;
}

/** Scores of all meters on all days, by meter, then by day; NaN where a meter was not judged. */
export interface FleetScores {
  readonly noFeeder: readonly Float64Array[];
  readonly feeder: readonly Float64Array[];
}

/** Trained on clean days alone, frozen, and then used on every day. */
export function scoreFleet(fleet: FleetPower, clean: Days, seed: number): FleetScores {
  const evidence = gatherFleetEvidence(fleet);
  const forest = trainOn(fleet, { evidence, clean, seed });
  const noFeeder = fleet.meters.map((_, meter) =>
    Float64Array.from({ length: fleet.days }, (_, day) => {
      const row = evidence.row(meter, day);
      return row === undefined ? Number.NaN : scoreRow(forest, row);
    }),
  );
  const feeder = noFeeder.map((scores) => scores.map((raw) => (Number.isNaN(raw) ? raw : combine({ raw }))));
  for (const { feeder: name } of fleet.feeders) {
    const balance = balanceFeeder(fleet, name, fitBalance(fleet, name, clean));
    judgeFeeder(fleet, { balance, noFeeder, feeder });
  }
  return { noFeeder, feeder };
}

function trainOn(
  fleet: FleetPower,
  { evidence, clean, seed }: { evidence: ReturnType<typeof gatherFleetEvidence>; clean: Days; seed: number },
): IsolationForest {
  const rows: Float32Array[] = [];
  for (const meter of fleet.meters.keys()) {
    for (let day = clean.from; day <= clean.to; day++) {
      const row = evidence.row(meter, day);
      if (row !== undefined) rows.push(row);
    }
  }
  const flat = new Float32Array(rows.length * ROW_WIDTH);
  for (const [index, row] of rows.entries()) flat.set(row, index * ROW_WIDTH);
  return trainForest({ rows: flat, features: ROW_WIDTH, trees: TREES, subsample: SUBSAMPLE, seed });
}

function judgeFeeder(
  fleet: FleetPower,
  {
    balance,
    noFeeder,
    feeder,
  }: { balance: FeederBalance; noFeeder: readonly Float64Array[]; feeder: readonly Float64Array[] },
): void {
  const gates = Array.from({ length: fleet.days }, (_, day) => gateOf(balance, day));
  const usualLoads = createUsualLoads(fleet);
  for (let day = 0; day < fleet.days; day++) {
    const suspicions = suspectDay(fleet, { balance, gates, day, usualLoads });
    for (const [index, member] of balance.members.entries()) {
      const raw = noFeeder[member]?.[day] ?? Number.NaN;
      const suspicion = suspicions?.[index];
      const scores = feeder[member];
      if (scores === undefined || Number.isNaN(raw)) continue;
      scores[day] = combine({ raw, gate: gates[day] as number, ...(suspicion === undefined ? {} : { suspicion }) });
    }
  }
}
