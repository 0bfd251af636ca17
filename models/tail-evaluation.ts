import { type EpochMs, epochMs } from '../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../agent/domain/slot.js';
import type { Manifest } from './bundle/manifest.js';
import { alignSeries } from './forecast/evaluation/align.js';
import type { Baseline } from './forecast/evaluation/baseline.js';
import { BASELINES, RIDGE } from './forecast/evaluation/baselines.js';
import { evaluate, type GroupResult, MODEL } from './forecast/evaluation/evaluate.js';
import { usualGroups } from './forecast/evaluation/groups.js';
import { reachOf, slotsPerDay } from './forecast/horizons.js';
import { bandPlot } from './forecast/plots/band-plot.js';
import { horizonPlot, hourPlot, reliabilityPlot } from './forecast/plots/error-plots.js';
import { createErrorTables } from './forecast/plots/error-tables.js';
import { createSeriesHistory, type ForecastShape } from './forecast/series-history.js';
import type { Predict } from './forecaster.js';
import { rounded } from './rounded.js';
import type { MeterSeries } from './series.js';
import type { ForecastPart } from './train-forecast.js';
import { NOWHERE, type Place } from './window/calendar.js';
import { PROFILE_LEAST_DAYS } from './window/seasonal-profile.js';

/** Drawings that stand beside the card, in its order. */
export const PLOTS = [
  { file: 'bands.svg', words: 'Bands and what came' },
  { file: 'reliability.svg', words: 'Share of actuals at or below each quantile' },
  { file: 'error-by-hour.svg', words: 'Error by hour of the day' },
  { file: 'error-by-horizon.svg', words: 'Error by how far ahead' },
] as const;

export interface TailEvaluation {
  readonly evaluation: Manifest['evaluation'];
  /** By the names of PLOTS. */
  readonly plots: Readonly<Record<(typeof PLOTS)[number]['file'], string>>;
}

interface TailOptions {
  readonly series: readonly MeterSeries[];
  /** Where the part begins that training has not seen. */
  readonly splitMs: EpochMs;
  readonly part: Pick<ForecastPart, 'shape' | 'calibration'>;
  readonly predict: Predict;
  readonly place: Place | undefined;
}

/** Enough for stable means on a long file. */
const MOST_ORIGINS = 500;
const FEWEST_STRIDES = 7;
const DAYS_BEFORE: Readonly<Record<string, number>> = { seasonal_week: 7, median_28d: PROFILE_LEAST_DAYS + 1 };
/** Each takes a fraction of a second and up to a megabyte: nothing beside a training, until there are thousands. */
const MOST_RIDGE_METERS = 200;
const HOUR_MS = 3_600_000;

/** A new bundle on the last part of the series, beside its baselines. */
export async function evaluateTail({ series, splitMs, part, predict, place }: TailOptions): Promise<TailEvaluation> {
  const { shape, calibration } = part;
  const slotMs = shape.slotMinutes * 60_000;
  const aligned = alignSeries(series, shape);
  const startMs = aligned[0]?.startMs ?? 0;
  const meters = aligned.map((one) => createSeriesHistory(one, shape));
  const testFrom = Math.round((splitMs - startMs) / slotMs);
  const baselines = baselinesFor({ meters: meters.length, testFrom, shape });
  const strides = Math.ceil(((aligned[0]?.powerW.length ?? 0) - testFrom) / MOST_ORIGINS);
  const groups = usualGroups(shape).map((group) => ({ ...group, stride: Math.max(strides, FEWEST_STRIDES) }));
  const tables = createErrorTables({
    shape,
    groups,
    methods: [MODEL, ...baselines.map(({ name }) => name)],
    meters: meters.length,
    hourOf: (slot, meter) => hourAt(epochMs(startMs + slot * slotMs), aligned[meter]?.place ?? place ?? NOWHERE),
  });
  const results = await evaluate({
    meters,
    testFrom,
    groups,
    baselines,
    model: { calibration, predict },
    onScored: tables.observe,
  });
  const [first] = Object.values(results);
  const errors = tables.groups();
  return {
    evaluation: {
      split: `The part from ${new Date(splitMs).toISOString()} on, which training has not seen, of the same meters.`,
      meters: first?.perMeter.length ?? 0,
      forecasts: first?.forecasts ?? 0,
      horizons: rounded(mapGroups(results, ({ scores }) => scores)),
      aggregate: rounded(mapGroups(results, ({ aggregate }) => aggregate)),
    },
    plots: {
      'bands.svg': await bandPlot({ meters, testFrom, groups, results, predict }),
      'reliability.svg': reliabilityPlot(errors),
      'error-by-hour.svg': hourPlot(errors, place === undefined ? 'UTC' : 'local time'),
      'error-by-horizon.svg': horizonPlot(errors, shape),
    },
  };
}

interface Extent {
  readonly meters: number;
  readonly testFrom: number;
  readonly shape: ForecastShape;
}

/** A slot is scored only where every baseline has a value: one that a young fleet cannot have yet would leave nothing. */
function baselinesFor({ meters, testFrom, shape }: Extent): readonly Baseline[] {
  const days = testFrom / slotsPerDay(shape.slotMinutes);
  const hasRidge = meters <= MOST_RIDGE_METERS && testFrom >= 2 * (WINDOW_SLOTS + reachOf(shape.horizons));
  return BASELINES.filter(({ name }) => (name === RIDGE ? hasRidge : days >= (DAYS_BEFORE[name] ?? 0)));
}

const mapGroups = <T>(results: Readonly<Record<string, GroupResult>>, read: (result: GroupResult) => T) =>
  Object.fromEntries(Object.entries(results).map(([name, result]) => [name, read(result)]));

const hourAt = (ms: EpochMs, { utcOffsetMs }: Place): number => Math.floor((ms + utcOffsetMs(ms)) / HOUR_MS) % 24;
