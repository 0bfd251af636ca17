import { seededRandom } from '../../agent/domain/clock.js';
import { rawScores, trainDayModel } from '../../models/fraud/day-model.js';
import { lookAt, type MeterPast, rowSoFar } from '../../models/fraud/features/day-so-far.js';
import { EVIDENCE_WIDTH } from '../../models/fraud/features/evidence.js';
import { ROW_WIDTH } from '../../models/fraud/features/evidence-row.js';
import { gatherFleetEvidence, peersOf } from '../../models/fraud/features/fleet-evidence.js';
import { balanceFeeder, fitBalance, gateOf } from '../../models/fraud/feeder/balance.js';
import { GATE_OPENS, suspectDay } from '../../models/fraud/feeder/suspicion.js';
import { createUsualLoads, learnUsualLoad } from '../../models/fraud/feeder/usual-load.js';
import { dayOf, type FleetPower, weekdayOf } from '../../models/fraud/fleet-power.js';
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
const LOSSY_EVERY = 10;
const DAYS = 60;
const TODAY = DAYS - 1;

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
  const thousand = createFleet(1_000);
  const evidenceMs = await medianCpuMs(rounds, thousand.evidence);
  const balanceMs = await medianCpuMs(rounds, thousand.balance);
  const dailyMs = await medianCpuMs(Math.ceil(rounds / 3), thousand.daily);
  const four = createFleet(4_000);
  const fourMs = await medianCpuMs(Math.ceil(rounds / 3), () => [four.evidence(), four.balance()]);
  return {
    metrics: {
      ...forest,
      ms_1000_meters: evidenceMs + balanceMs,
      evidence_and_score_ms_1000_meters: evidenceMs,
      balance_ms_1000_meters: balanceMs,
      once_a_day_ms_1000_meters: dailyMs,
    },
    ratios: { per_meter_4000_vs_1000: fourMs / (4 * (evidenceMs + balanceMs)) },
    notes: [
      `balance of ${METERS_PER_FEEDER} meters each; ${100 / LOSSY_EVERY} % of the feeders are losing energy`,
      'once a day: what is usual for each meter',
    ],
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

/** Days of so many meters, each with arrays of its own, and a tick at the end of the last one. */
function createFleet(count: number) {
  const fleet = createSmallFleet({ meters: count, feeders: count / METERS_PER_FEEDER, days: DAYS });
  const feeders = fleet.feeders.map(({ feeder }, index) => createFeeder(fleet, feeder, index % LOSSY_EVERY === 0));
  const { scoreAll, references } = createEvidence(fleet, count);
  return {
    evidence: scoreAll,
    balance: () => feeders.map(({ judge }) => judge()),
    daily: () => [references(), feeders.map(({ learn }) => learn())],
  };
}

/** The pasts of some homes stand for those of all. */
function createEvidence(fleet: FleetPower, count: number) {
  const homes = { ...fleet, meters: fleet.meters.slice(0, METERS_PER_FEEDER), feeders: [] };
  const evidence = gatherFleetEvidence(homes);
  const pasts = homes.meters.map((_, meter): MeterPast => {
    const reference = evidence.reference(meter, TODAY);
    if (reference === undefined) throw new Error('too few days for a reference');
    const days = evidence.evidence(meter).slice((TODAY - 6) * EVIDENCE_WIDTH, TODAY * EVIDENCE_WIDTH);
    return { reference, evidence: days };
  });
  const slots = fleet.meters.map(({ powerW }, index) => ({
    past: structuredClone(pasts[index % pasts.length] as MeterPast),
    powerW: Float32Array.from({ length: SLOTS }, (_, slot) => dayOf(powerW, 48, TODAY)[Math.floor(slot / 6)] as number),
    weekday: weekdayOf(fleet, TODAY),
  }));
  const model = trainDayModel({ fleet: homes, clean: { from: 0, to: TODAY }, seed: 1, evidence });
  return {
    references: () => slots.map((_, index) => evidence.reference(index % pasts.length, TODAY)),
    scoreAll() {
      const seen = slots.map(lookAt);
      const peers = peersOf(seen.map(({ drops }) => drops));
      const rows = new Float32Array(count * ROW_WIDTH);
      for (const [index, slot] of slots.entries())
        rows.set(rowSoFar(slot, seen[index] as (typeof seen)[number], peers), index * ROW_WIDTH);
      return rawScores(model, rows);
    },
  };
}

/** One feeder of the fleet, with a thief on it or not. */
function createFeeder(fleet: FleetPower, feeder: string, isLossy: boolean) {
  const own = {
    ...fleet,
    meters: fleet.meters.filter((meter) => meter.feeder === feeder),
    feeders: fleet.feeders.filter((one) => one.feeder === feeder),
  };
  const reported = isLossy ? withReport(own, 7, { fromDay: DAYS - 10, report: (watts) => watts * 0.4 }) : own;
  const model = fitBalance(reported, feeder, { from: 0, to: DAYS - 11 });
  const balance = balanceFeeder(reported, feeder, model);
  const gates = Array.from({ length: DAYS }, (_, day) => gateOf(balance, day));
  if (isLossy !== (gates[TODAY] as number) >= GATE_OPENS) throw new Error('the gate is not where it should be');
  const cut = <T extends { readonly powerW: Float32Array }>(one: T) => ({
    ...one,
    powerW: dayOf(one.powerW, 48, TODAY),
  });
  const today = { ...reported, days: 1, meters: reported.meters.map(cut), feeders: reported.feeders.map(cut) };
  const usualLoads = createUsualLoads(reported);
  const free = Array.from({ length: 42 }, (_, ago) => DAYS - 12 - ago);
  return {
    judge() {
      const [dayLossW] = balanceFeeder(today, feeder, model).dayLossW;
      balance.dayLossW[TODAY] = dayLossW as number;
      return suspectDay(reported, {
        balance,
        gates: [...gates.slice(0, TODAY), gateOf(balance, TODAY)],
        day: TODAY,
        usualLoads,
      });
    },
    learn: () =>
      isLossy
        ? reported.meters.map(({ powerW }) =>
            learnUsualLoad(
              free.map((day) => dayOf(powerW, 48, day)),
              48,
            ),
          )
        : [],
  };
}
