import { seededRandom } from '../../agent/domain/clock.js';
import { rawScores, trainDayModel } from '../../models/fraud/day-model.js';
import { lookAt, type MeterPast, rowSoFar } from '../../models/fraud/features/day-so-far.js';
import { EVIDENCE_WIDTH } from '../../models/fraud/features/evidence.js';
import { ROW_WIDTH } from '../../models/fraud/features/evidence-row.js';
import { gatherFleetEvidence, peersOf } from '../../models/fraud/features/fleet-evidence.js';
import { balanceFeeder, fitBalance, gateOf } from '../../models/fraud/feeder/balance.js';
import { GATE_OPENS, suspectDay } from '../../models/fraud/feeder/suspicion.js';
import { createUsualLoads } from '../../models/fraud/feeder/usual-load.js';
import { type FleetPower, weekdayOf } from '../../models/fraud/fleet-power.js';
import { explainRow, scoreRow, scoreRows } from '../../models/fraud/forest/forest.js';
import { trainForest } from '../../models/fraud/forest/forest-training.js';
import { createSmallFleet, withReport } from '../../models/fraud/generated-fleet.js';
import type { Bench, Setting } from './bench.js';
import { medianCpuMs } from './statistics.js';

/** As scikit-learn was measured: 10 features, 100 trees of 256 rows. */
const FEATURES = 10;
const TREES = 100;
const SUBSAMPLE = 256;
const ROWS = 20_000;
const METERS_PER_FEEDER = 50;
/** A day at five minutes; the balance is drawn over half hours. */
const SLOTS = 288;
const ROUNDS = { tiny: 1, quick: 9, full: 31 };
/** Of a fleet that is worth stealing from, every tenth feeder. */
const LOSSY_SHARE = 0.1;
const DAYS = 60;

export const fraud: Bench = {
  about: 'the isolation forest, and one tick of 1,000 meters: evidence, scores, and the balance of their feeders',
  goals: {
    forest_us_per_row_batch: { atMost: 6 },
    forest_us_per_row_single: { atMost: 6 },
    ms_1000_meters: { atMost: 100 },
    per_meter_4000_vs_1000: { atMost: 1.15 },
  },
  measure,
};

async function measure({ size, say }: Setting) {
  const rounds = ROUNDS[size];
  const forest = await measureForest(rounds);
  say('a fleet of 1,000 meters on 20 feeders, then four of them');
  const tick = createTick();
  const evidenceMs = await medianCpuMs(rounds, tick.evidence);
  const closedMs = await medianCpuMs(rounds, tick.closedFeeder);
  const lossyMs = await medianCpuMs(rounds, tick.lossyFeeder);
  const feeders = 1_000 / METERS_PER_FEEDER;
  const balanceMs = feeders * ((1 - LOSSY_SHARE) * closedMs + LOSSY_SHARE * lossyMs);
  const manyMs = await medianCpuMs(Math.ceil(rounds / 3), tick.evidenceOfFour);
  return {
    metrics: {
      ...forest,
      ms_1000_meters: evidenceMs + balanceMs,
      evidence_and_score_ms_1000_meters: evidenceMs,
      balance_ms_closed_feeder: closedMs,
      balance_ms_lossy_feeder: lossyMs,
    },
    ratios: { per_meter_4000_vs_1000: (manyMs + 4 * balanceMs) / (4 * (evidenceMs + balanceMs)) },
    notes: [`balance of ${METERS_PER_FEEDER} meters each; ${LOSSY_SHARE * 100} % of the feeders are losing energy`],
  };
}

async function measureForest(rounds: number) {
  const random = seededRandom(1);
  const rows = Float32Array.from({ length: ROWS * FEATURES }, () => random() + random());
  const forest = trainForest({ rows, features: FEATURES, trees: TREES, subsample: SUBSAMPLE, seed: 1 });
  const batchMs = await medianCpuMs(rounds, () => scoreRows(forest, rows));
  const row = new Float32Array(FEATURES);
  const savings = new Float64Array(FEATURES);
  const alone = (work: () => number) => () => {
    let sum = 0;
    for (let at = 0; at < ROWS; at++) {
      row.set(rows.subarray(at * FEATURES, (at + 1) * FEATURES));
      sum += work();
    }
    return sum;
  };
  const singleMs = await medianCpuMs(
    rounds,
    alone(() => scoreRow(forest, row)),
  );
  const explainMs = await medianCpuMs(
    Math.ceil(rounds / 3),
    alone(() => explainRow(forest, row, savings)),
  );
  return {
    forest_us_per_row_batch: (batchMs * 1_000) / ROWS,
    forest_us_per_row_single: (singleMs * 1_000) / ROWS,
    forest_us_per_row_explained: (explainMs * 1_000) / ROWS,
  };
}

/** One feeder of honest meters and one with a thief, and the pasts of their meters, twenty times over. */
function createTick() {
  const honest = createSmallFleet({ meters: METERS_PER_FEEDER, feeders: 1, days: DAYS });
  const stolen = withReport(honest, 7, { fromDay: DAYS - 10, report: (watts) => watts * 0.4 });
  const day = DAYS - 1;
  const evidence = gatherFleetEvidence(honest);
  const meters = honest.meters.map(({ powerW }, meter) => {
    const reference = evidence.reference(meter, day);
    if (reference === undefined) throw new Error('too few days for a reference');
    const past: MeterPast = {
      reference,
      evidence: evidence.evidence(meter).slice((day - 6) * EVIDENCE_WIDTH, day * EVIDENCE_WIDTH),
    };
    const today = Float32Array.from({ length: SLOTS }, (_, slot) => powerW[day * 48 + Math.floor(slot / 6)] as number);
    return { past, powerW: today, weekday: weekdayOf(honest, day) };
  });
  const model = trainDayModel({ fleet: honest, clean: { from: 0, to: day }, seed: 1, evidence });
  const scoreAll = (count: number) => () => {
    const slots = Array.from({ length: count }, (_, index) => meters[index % meters.length] as (typeof meters)[number]);
    const seen = slots.map(lookAt);
    const peers = peersOf(seen.map(({ drops }) => drops));
    const rows = new Float32Array(count * ROW_WIDTH);
    for (const [index, slot] of slots.entries())
      rows.set(rowSoFar(slot, seen[index] as (typeof seen)[number], peers), index * ROW_WIDTH);
    return rawScores(model, rows);
  };
  const balance = (fleet: FleetPower) => {
    const model = fitBalance(fleet, '0', { from: 0, to: DAYS - 11 });
    const past = balanceFeeder(fleet, '0', model);
    const gates = Array.from({ length: fleet.days }, (_, at) => gateOf(past, at));
    if ((fleet === stolen) !== (gates[day] as number) >= GATE_OPENS)
      throw new Error('the gate is not where it should be');
    const usualLoads = createUsualLoads(fleet);
    return () =>
      suspectDay(fleet, { balance: past, gates: [...gates.slice(0, day), gateOf(past, day)], day, usualLoads });
  };
  return {
    evidence: scoreAll(1_000),
    evidenceOfFour: scoreAll(4_000),
    closedFeeder: balance(honest),
    lossyFeeder: balance(stolen),
  };
}
