import { boostedScore } from '../boosting/boosted-trees.js';
import { gatherKnownAttackRows, trainKnownAttackTrees } from '../boosting/known-attack-trees.js';
import { firstAbove } from '../calibration.js';
import type { Days } from '../day-model.js';
import type { FleetPower } from '../fleet-power.js';
import { bestRule, lossRatioRule, rawForest } from './baselines.js';
import { type Disturbances, disturb } from './disturbances.js';
import { judgeDays, type Measures, measure } from './judged-days.js';
import type { TheftBench } from './theft-bench.js';
import { cleanQuantile, type FleetScores, scoreFleet } from './theft-scores.js';
import {
  detectionDay,
  type EpisodeMeasures,
  feederRule,
  measureEpisodes,
  type Outcome,
  ownRule,
  rankMeters,
} from './visits.js';

export interface TheftEvaluation {
  readonly no_feeder: Measures;
  readonly feeder: Measures;
  readonly ranking: {
    /** As many first meters as there are thieves. */
    readonly k: number;
    readonly hits_feeder: number;
    readonly hits_no_feeder: number;
    /** With feeders; null when fewer than half of the thieves were found. */
    readonly median_days_to_detect: number | null;
    readonly median_days_to_detect_no_feeder: number | null;
  };
  /** With feeders. */
  readonly episodes: EpisodeMeasures & { readonly no_feeder: EpisodeMeasures };
  readonly baselines: Readonly<Record<string, Measures>>;
}

export interface TheftEvaluationOptions {
  readonly bench: TheftBench;
  /** Days before it are clean; days from it on are the test. */
  readonly testFromDay: number;
  readonly disturbances: Disturbances;
}

/** All that the evaluation knows, for its pages and plots. */
export interface TheftResults {
  readonly evaluation: TheftEvaluation;
  readonly scores: FleetScores;
  readonly withFeeder: Outcome;
  readonly withoutFeeder: Outcome;
}

/** Chosen on attacks injected into the clean half year. */
const CLEAN_SHARE_BELOW = 0.99;

export function evaluateTheft({ bench, testFromDay, disturbances }: TheftEvaluationOptions): TheftResults {
  const { labels } = bench;
  const fleet = disturb(bench.fleet, disturbances, testFromDay);
  const clean: Days = { from: 0, to: testFromDay - 1 };
  const test: Days = { from: testFromDay, to: fleet.days - 1 };
  const { seed } = disturbances;
  const scores = scoreFleet(fleet, clean, seed);
  const threshold = episodeThreshold(scores.noFeeder, clean);
  const own = ownRule(threshold);
  const common = { fleet, labels, test };
  const withFeeder = { ...common, scores: scores.feeder, ruleOn: feederRule(scores.isBalanced, threshold) };
  const withoutFeeder = { ...common, scores: scores.noFeeder, ruleOn: () => own };
  const measured = (of: readonly Float64Array[]): Measures => measure(judgeDays({ fleet, labels, test }, of));
  const evaluation: TheftEvaluation = {
    no_feeder: measured(scores.noFeeder),
    feeder: measured(scores.feeder),
    ranking: measureRanking(withFeeder, withoutFeeder),
    episodes: { ...measureEpisodes(withFeeder), no_feeder: measureEpisodes(withoutFeeder) },
    baselines: {
      raw_forest: measured(rawForest(fleet, clean, seed)),
      best_rule: measured(bestRule(fleet)),
      loss_ratio_rule: measured(lossRatioRule(fleet)),
      boosted_known_attacks: measured(boostedScores(fleet, clean, seed)),
    },
  };
  return { evaluation, scores, withFeeder, withoutFeeder };
}

/** Reached by the declared share of clean days: where ties would lift more of them to it, the next higher score decides. */
export function episodeThreshold(scores: readonly Float64Array[], clean: Days): number {
  const threshold = cleanQuantile(scores, clean, CLEAN_SHARE_BELOW);
  const known = Float64Array.from(scores.flatMap((days) => [...days.subarray(clean.from, clean.to + 1)]))
    .filter(Number.isFinite)
    .sort();
  const reached = known.filter((score) => score >= threshold).length;
  return reached > Math.ceil((1 - CLEAN_SHARE_BELOW) * known.length)
    ? firstAbove(known, known.indexOf(threshold))
    : threshold;
}

export const measureRanking = (withFeeder: Outcome, withoutFeeder: Outcome): TheftEvaluation['ranking'] => ({
  k: thievesOf(withFeeder).size,
  hits_feeder: hits(withFeeder),
  hits_no_feeder: hits(withoutFeeder),
  median_days_to_detect: medianDays(withFeeder),
  median_days_to_detect_no_feeder: medianDays(withoutFeeder),
});

/** Who steals twice is visited once. */
const thievesOf = ({ labels }: Outcome): ReadonlySet<string> => new Set(labels.map(({ meter }) => meter));

function hits(outcome: Outcome): number {
  const thieves = thievesOf(outcome);
  return rankMeters(outcome)
    .slice(0, thieves.size)
    .filter((meter) => thieves.has(meter)).length;
}

function medianDays(outcome: Outcome): number | null {
  const days = Float64Array.from(outcome.labels, (label) => detectionDay(outcome, label)).sort();
  const median = days[Math.floor((days.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(median) ? median : null;
}

function boostedScores(fleet: FleetPower, clean: Days, seed: number): Float64Array[] {
  const { slotsPerDay } = fleet;
  const days = clean.to - clean.from + 1;
  const cut = (powerW: Float32Array) => powerW.slice(clean.from * slotsPerDay, (clean.to + 1) * slotsPerDay);
  const trees = trainKnownAttackTrees(
    { ...fleet, days, meters: fleet.meters.map((meter) => ({ ...meter, powerW: cut(meter.powerW) })), feeders: [] },
    seed,
  );
  const rowOf = gatherKnownAttackRows(fleet);
  return fleet.meters.map((_, meter) =>
    Float64Array.from({ length: fleet.days }, (__, day) => {
      const row = rowOf(meter, day);
      return row === undefined ? Number.NaN : boostedScore(trees, row);
    }),
  );
}
