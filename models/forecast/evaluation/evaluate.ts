import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { type AdaptiveBands, createAdaptiveBands } from '../adaptive-bands.js';
import type { Calibration } from '../calibration.js';
import type { History } from '../history.js';
import {
  type ForecastRow,
  HIGH,
  type Horizon,
  LOW,
  MEDIAN,
  QUANTILES,
  reachOf,
  slotsPerDay,
  wattsAt,
} from '../horizons.js';
import { seasonalDifference } from '../samples.js';
import type { SeriesHistory } from '../series-history.js';
import { type Aggregate, type AggregateScores, createAggregate, joinAggregates } from './aggregate.js';
import type { Baseline, PointForecast } from './baseline.js';
import { SEASONAL_DAY } from './baselines.js';
import type { Group } from './groups.js';
import { createTally, meanOfScores, type Scores, type Tally } from './scores.js';

/** What is measured: anything that forecasts with bands. */
export interface Candidate {
  readonly calibration: Calibration;
  predict(histories: readonly History[], factors: Float32Array): Promise<readonly ForecastRow[]>;
}

export interface EvaluationOptions {
  /** Whole series, in the same slots. */
  readonly meters: readonly SeriesHistory[];
  /** First slot of the test. */
  readonly testFrom: number;
  /** Forecasts are made before this slot; otherwise up to the end. */
  readonly testUntil?: number | undefined;
  readonly groups: readonly Group[];
  readonly baselines: readonly Baseline[];
  readonly model?: Candidate | undefined;
  /** Forecasts only every so many strides: for a quick look. */
  readonly everyStride?: number;
  /** Sees each actual that the model is scored on. */
  readonly onScored?: (scored: ScoredStep) => void;
}

export interface ScoredStep {
  readonly group: string;
  /** Position among the meters. */
  readonly meter: number;
  readonly origin: number;
  readonly step: number;
  readonly actual: number;
  /** Of the model; all of QUANTILES. */
  readonly quantiles: Float32Array;
  /** Of the baselines, in their order. */
  readonly points: readonly number[];
}

export interface Coverage {
  readonly month: string;
  readonly adapted: number;
  readonly asTrained: number;
  /** How many slots these are shares of. */
  readonly scored: number;
}

export interface MeterResult {
  readonly meter: string;
  readonly scores: Readonly<Record<string, Scores>>;
  /** How many slots the scores are of. */
  readonly scored: number;
}

export interface GroupResult {
  /** `model` and the baselines by name: means over meters of per-meter figures. */
  readonly scores: Readonly<Record<string, Scores>>;
  readonly perMeter: readonly MeterResult[];
  /** Of the sum of all meters, by method; the model's is the sum of its means. */
  readonly aggregate: Readonly<Record<string, AggregateScores>>;
  readonly forecasts: number;
  /** Of the model's band that should hold nine of ten. */
  readonly coverage: readonly Coverage[];
}

export const MODEL = 'model';

/**
 * A rolling origin over the test, all meters at a time and in the order of time, as on a gateway: the bands adapt to
 * what they missed once it is known. A slot is scored only where the actual and every method have a value.
 */
export async function evaluate(options: EvaluationOptions): Promise<Readonly<Record<string, GroupResult>>> {
  const { meters, testFrom, groups, baselines } = options;
  const asked = groups.map((group) => originsOf(group, options));
  const all = [...new Set(asked.flat())].sort((a, b) => a - b);
  const prepared = meters.map((history) => ({
    history,
    points: baselines.map(({ name, prepare }) => ({ name, forecast: prepare(history, testFrom, all) })),
  }));
  const results: Record<string, GroupResult> = {};
  for (const [index, group] of groups.entries()) {
    results[group.name] = await evaluateGroup({ group, origins: asked[index] ?? [] }, prepared, options);
  }
  return results;
}

/** Where forecasts of a group are made: its farthest slot is within the longest series. */
function originsOf({ steps, stride }: Group, options: EvaluationOptions): readonly number[] {
  const { meters, testFrom, testUntil = Number.POSITIVE_INFINITY, everyStride = 1 } = options;
  const horizons = meters[0]?.shape.horizons ?? [];
  const reach = reachOf(steps.map((step) => horizons[step] as Horizon));
  const last = Math.max(0, ...meters.map(({ series }) => series.powerW.length)) - reach;
  const end = Math.min(last + 1, testUntil);
  const origins: number[] = [];
  for (let origin = Math.max(testFrom, WINDOW_SLOTS); origin < end; origin += stride * everyStride)
    origins.push(origin);
  return origins;
}

interface Prepared {
  readonly history: SeriesHistory;
  readonly points: readonly { readonly name: string; readonly forecast: PointForecast }[];
}

async function evaluateGroup(
  { group, origins }: { readonly group: Group; readonly origins: readonly number[] },
  prepared: readonly Prepared[],
  options: EvaluationOptions,
): Promise<GroupResult> {
  const { testFrom, model } = options;
  const horizons = prepared[0]?.history.shape.horizons ?? [];
  const { onScored } = options;
  const methods = [...(model === undefined ? [] : [MODEL]), ...options.baselines.map(({ name }) => name)];
  const aggregate = createAggregate({ methods, meters: prepared.length, steps: horizons.length });
  const books = prepared.map((meter, index) =>
    createBook(meter, {
      group,
      testFrom,
      methods,
      aggregate,
      ...(onScored === undefined
        ? {}
        : { onScored: (scored) => onScored({ group: group.name, meter: index, ...scored }) }),
    }),
  );
  const bands = model === undefined ? undefined : createFollowedBands(model.calibration, horizons);
  for (const origin of origins) {
    const now = books.filter((book) => book.opens(origin));
    bands?.settle(origin);
    const rows = await model?.predict(
      now.map(({ history }) => history.at(origin)),
      bands?.factors ?? new Float32Array(),
    );
    for (const [index, book] of now.entries()) book.score(origin, rows?.[index], bands);
  }
  const perMeter = books.flatMap((book) => book.result() ?? []);
  return {
    scores: meansOf(perMeter),
    perMeter,
    aggregate: aggregate.scores(),
    forecasts: books.reduce((sum, { forecasts }) => sum + forecasts, 0),
    coverage: bands?.coverage() ?? [],
  };
}

interface BookOptions {
  readonly group: Group;
  readonly testFrom: number;
  readonly methods: readonly string[];
  readonly aggregate: Aggregate;
  readonly onScored?: (scored: Omit<ScoredStep, 'group' | 'meter'>) => void;
}

/** What one meter's forecasts were worth. */
function createBook({ history, points }: Prepared, { group, testFrom, methods, aggregate, onScored }: BookOptions) {
  const tallies: Record<string, Tally> = Object.fromEntries(methods.map((name) => [name, createTally()]));
  const { shape, series } = history;
  const actuals = new Float64Array(shape.horizons.length);
  const answers = points.map(() => new Float64Array(shape.horizons.length));
  let forecasts = 0;

  return {
    history,
    get forecasts() {
      return forecasts;
    },
    /** Whether a gateway would forecast here: the newest slot is known. */
    opens: (origin: number): boolean => origin <= series.powerW.length && Number.isFinite(series.powerW[origin - 1]),
    score(origin: number, row: ForecastRow | undefined, bands: FollowedBands | undefined): void {
      history.actualsAt(origin, actuals);
      for (const [index, { forecast }] of points.entries()) {
        forecast(origin, answers[index] as Float64Array, group.steps);
      }
      forecasts += 1;
      for (const step of group.steps) {
        const actual = actuals[step] as number;
        if (Number.isNaN(actual) || answers.some((answer) => Number.isNaN(answer[step]))) continue;
        const said = answers.map((answer) => answer[step] as number);
        for (const [index, { name }] of points.entries()) {
          const value = said[index] as number;
          tallies[name]?.add(actual, { median: value, mean: value });
        }
        if (row === undefined || bands === undefined) {
          aggregate.add(origin, step, { actual, forecasts: said });
          continue;
        }
        const quantiles = row.watts.subarray(step * QUANTILES.length, (step + 1) * QUANTILES.length);
        const mean = bands.meanOf(row, step);
        tallies[MODEL]?.add(actual, { median: quantiles[MEDIAN] as number, mean, quantiles });
        aggregate.add(origin, step, { actual, forecasts: [mean, ...said] });
        onScored?.({ origin, step, actual, quantiles, points: said });
        bands.note(origin, { step, actual, row, atMs: history.series.startMs + origin * shape.slotMinutes * 60_000 });
      }
    },
    result(): MeterResult | undefined {
      const seasonal = tallies[SEASONAL_DAY]?.mae ?? Number.NaN;
      const scored = Object.values(tallies)[0]?.count ?? 0;
      if (scored === 0) return undefined;
      const before = seasonalDifference(series.powerW.subarray(0, testFrom), slotsPerDay(shape.slotMinutes));
      const scores = Object.entries(tallies).map(([name, tally]) => [name, tally.scores(before, seasonal)] as const);
      return { meter: series.meter, scores: Object.fromEntries(scores), scored };
    },
  };
}

interface FollowedBands extends Pick<AdaptiveBands, 'factors'> {
  note(origin: number, seen: { step: number; actual: number; row: ForecastRow; atMs: number }): void;
  /** Tells the bands of everything that is known by now. */
  settle(now: number): void;
  meanOf(row: ForecastRow, step: number): number;
  coverage(): readonly Coverage[];
}

/** The bands of a test, which learn of a miss when its slots are over and not before. */
function createFollowedBands(calibration: Calibration, horizons: readonly Horizon[]): FollowedBands {
  const bands = createAdaptiveBands(calibration);
  const waiting = new Map<string, { due: number; step: number; missed: number; of: number }>();
  const months = new Map<string, { adapted: number; asTrained: number; of: number }>();
  const count = QUANTILES.length;

  return {
    factors: bands.factors,
    note(origin, { step, actual, row, atMs }) {
      const [low, median, high] = [LOW, MEDIAN, HIGH].map((quantile) => wattsAt(row, step, quantile)) as [
        number,
        number,
        number,
      ];
      const stretch =
        (bands.factors[step * count + LOW] as number) / (calibration.factors[step * count + LOW] as number);
      const isInside = actual >= low && actual <= high;
      const wouldBe = actual >= median - (median - low) / stretch && actual <= median + (high - median) / stretch;
      const month = new Date(atMs).toISOString().slice(0, 7);
      const kept = months.get(month) ?? { adapted: 0, asTrained: 0, of: 0 };
      months.set(month, {
        adapted: kept.adapted + (isInside ? 1 : 0),
        asTrained: kept.asTrained + (wouldBe ? 1 : 0),
        of: kept.of + 1,
      });
      const { offset, slots } = horizons[step] as Horizon;
      const key = `${origin} ${step}`;
      const { missed, of } = waiting.get(key) ?? { missed: 0, of: 0 };
      waiting.set(key, { due: origin + offset + slots, step, missed: missed + (isInside ? 0 : 1), of: of + 1 });
    },
    settle(now) {
      for (const [key, { due, step, missed, of }] of waiting) {
        if (due > now) continue;
        bands.observe(step, missed, of);
        waiting.delete(key);
      }
    },
    meanOf(row, step) {
      let mean = 0;
      for (let quantile = 0; quantile < count; quantile++) {
        mean += (calibration.mean[step * count + quantile] as number) * wattsAt(row, step, quantile);
      }
      return mean;
    },
    coverage: () =>
      [...months].map(([month, { adapted, asTrained, of }]) => ({
        month,
        adapted: adapted / of,
        asTrained: asTrained / of,
        scored: of,
      })),
  };
}

/**
 * Results of separate runs as one. What a meter has in several of them is one figure of it, each run by the slots that it
 * scored there: for a mean error that is the one over all of them.
 */
export function joinGroups(parts: readonly GroupResult[]): GroupResult {
  const perMeter = joinMeters(parts.flatMap((part) => part.perMeter));
  return {
    scores: meansOf(perMeter),
    perMeter,
    aggregate: joinAggregates(parts.map((part) => part.aggregate)),
    forecasts: parts.reduce((sum, { forecasts }) => sum + forecasts, 0),
    coverage: joinCoverage(parts.flatMap((part) => part.coverage)),
  };
}

function joinMeters(all: readonly MeterResult[]): readonly MeterResult[] {
  return groupBy(all, ({ meter }) => meter).map(([meter, those]) => {
    const [first] = those;
    if (those.length === 1 && first !== undefined) return first;
    const weights = those.map(({ scored }) => scored);
    const scoresOf = (name: string) => those.flatMap((one) => one.scores[name] ?? []);
    const scores = Object.keys(first?.scores ?? {}).map((name) => [name, meanOfScores(scoresOf(name), weights)]);
    return { meter, scores: Object.fromEntries(scores), scored: sumOf(weights) };
  });
}

function joinCoverage(all: readonly Coverage[]): readonly Coverage[] {
  return groupBy(all, ({ month }) => month).map(([month, those]) => {
    const scored = sumOf(those.map((one) => one.scored));
    const share = (read: (one: Coverage) => number) => sumOf(those.map((one) => read(one) * one.scored)) / scored;
    return { month, adapted: share(({ adapted }) => adapted), asTrained: share(({ asTrained }) => asTrained), scored };
  });
}

/** In the order in which the keys come first. */
function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): [key: string, those: T[]][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const those = groups.get(keyOf(one));
    if (those === undefined) groups.set(keyOf(one), [one]);
    else those.push(one);
  }
  return [...groups];
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

function meansOf(perMeter: GroupResult['perMeter']): Readonly<Record<string, Scores>> {
  const names = Object.keys(perMeter[0]?.scores ?? {});
  return Object.fromEntries(
    names.map((name) => [name, meanOfScores(perMeter.flatMap((one) => one.scores[name] ?? []))]),
  );
}
