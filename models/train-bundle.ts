import { type EpochMs, epochMs } from '../agent/domain/brand.js';
import { seededRandom } from '../agent/domain/clock.js';
import { WattwardenError } from '../agent/domain/errors.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../agent/domain/slot.js';
import { writeCard } from './bundle/card.js';
import { asPacked, type GoldenCase, packGolden } from './bundle/golden.js';
import { BUNDLE_FORMAT, type Manifest } from './bundle/manifest.js';
import { type Bundle, readBundle } from './bundle/read.js';
import { writeBundle } from './bundle/write.js';
import { packCalibration } from './forecast/calibration.js';
import { FEATURE_VERSION } from './forecast/features.js';
import type { History } from './forecast/history.js';
import { HORIZONS, horizonsFor, MEDIAN, QUANTILES, reachOf, wattsAt } from './forecast/horizons.js';
import { LEARNING_CURVE, learningCurvePlot } from './forecast/plots/learning-curve.js';
import { drawSamples } from './forecast/samples.js';
import type { ForecastShape } from './forecast/series-history.js';
import type { Checkpoints } from './forecast/train/checkpoint.js';
import { openNetwork, type Predict, predictWith } from './forecaster.js';
import { DECLARED_SCORE } from './fraud/calibration.js';
import { packTheftModel, type TheftModel } from './fraud/theft-model.js';
import { trainTheftModel } from './fraud/theft-training.js';
import { confirmed } from './onnx/confirmed.js';
import { rounded } from './rounded.js';
import { firstSlots, type MeterSeries, neverChanges, type OnProgress } from './series.js';
import { evaluateTail } from './tail-evaluation.js';
import { type ForecastPart, loadForecastPart, trainForecastPart } from './train-forecast.js';
import type { Place } from './window/calendar.js';

export interface TrainBundleOptions {
  readonly series: readonly MeterSeries[];
  /** Made if missing; files of an older bundle in it are replaced. */
  readonly dir: string;
  readonly version: string;
  readonly createdAt: Date | string;
  readonly seed: number;
  /** Where the data came from, for the manifest and the card. */
  readonly trainedOn: string;
  readonly licence?: string;
  readonly attribution?: string;
  /** See train.ts for what it is otherwise. */
  readonly epochs?: number;
  readonly slotMinutes?: number;
  readonly place?: Place;
  /** Directory of a bundle whose forecaster is kept as it is, so that only the theft model is made anew. */
  readonly forecastFrom?: string;
  /** The same the other way round. */
  readonly theftFrom?: string;
  /** So that a training that was interrupted goes on. */
  readonly checkpoints?: Checkpoints;
  readonly onProgress?: OnProgress;
}

/** A day to look back on, a day to look ahead, and enough between them for a test. */
export const FEWEST_SLOTS = WINDOW_SLOTS + reachOf(HORIZONS) + 30;
const TAIL_SHARE = 0.15;
const SHORTEST_TAIL_SLOTS = 12;
/** One with all that can be known, one with its window alone. */
const GOLDEN_CASES = 2;
const FILES = {
  int8: 'forecast.int8.onnx',
  float32: 'forecast.float32.onnx',
  calibration: 'calibration.json',
  fraud: 'forest.json',
  golden: 'golden.json',
};

/** From series to a written, unsigned bundle. The same seed and the same series give the same bytes. */
export async function trainBundle(options: TrainBundleOptions): Promise<Bundle> {
  const { series, seed, place, onProgress, slotMinutes = SLOT_MINUTES } = options;
  const shape: ForecastShape = { slotMinutes, horizons: horizonsFor(slotMinutes) };
  const splitMs = chooseSplit(series, shape);
  const head = series.map((one) => until(one, splitMs, shape));
  const part =
    options.forecastFrom === undefined
      ? await trainForecastPart({
          series: head,
          shape,
          seed,
          place,
          epochs: options.epochs,
          checkpoints: options.checkpoints,
          onProgress,
        })
      : await loadForecastPart(options.forecastFrom, head, shape);
  const networks = { int8: await openNetwork(part.int8, shape), float32: await openNetwork(part.float32, shape) };
  try {
    const serving = { shape, calibration: part.calibration, place };
    const predict = predictWith(networks.int8, serving);
    const theft = await makeTheftModel(options, head, predict);
    onProgress?.({ phase: 'evaluate', done: 0, detail: 'model beside its baselines' });
    const { evaluation, plots } = await evaluateTail({ series, splitMs, part, predict, place });
    // Whoever checks them may stand in another zone and country.
    const nowhere = { shape, calibration: part.calibration };
    const made = await makeGolden(part, seed, {
      int8: predictWith(networks.int8, nowhere),
      float32: predictWith(networks.float32, nowhere),
    });
    const golden = await confirmed({ version: options.version, golden: { cases: made } }, part, nowhere);
    const manifest = describeBundle(options, { part, evaluation });
    const files = {
      [FILES.int8]: part.int8,
      [FILES.float32]: part.float32,
      [FILES.calibration]: packCalibration(part.calibration),
      [FILES.fraud]: packTheftModel(theft),
      [FILES.golden]: packGolden(golden),
      ...plots,
      ...(manifest.training === undefined ? {} : { [LEARNING_CURVE]: learningCurvePlot(manifest.training) }),
      'card.md': writeCard(manifest, theft),
    };
    await writeBundle(options.dir, { manifest, files });
    onProgress?.({ phase: 'evaluate', done: 1, detail: `bundle ${options.version} written` });
    return await readBundle(options.dir, slotMinutes);
  } finally {
    await networks.int8.close();
    await networks.float32.close();
  }
}

async function makeTheftModel(
  { theftFrom, seed, onProgress, slotMinutes }: TrainBundleOptions,
  series: readonly MeterSeries[],
  predict: Predict,
): Promise<TheftModel> {
  if (theftFrom !== undefined) return (await readBundle(theftFrom, slotMinutes)).theft;
  return trainTheftModel({
    series,
    seed,
    ...(slotMinutes === undefined ? {} : { slotMinutes }),
    expect: async (windows) =>
      (await predict(windows.map((window) => ({ window })))).map((row) => wattsAt(row, 0, MEDIAN)),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** The last part of the longest series is for the test; throws `model.no_data` when none is long enough. */
function chooseSplit(series: readonly MeterSeries[], { slotMinutes, horizons }: ForecastShape): EpochMs {
  const slotMs = slotMinutes * 60_000;
  const longest = series.reduce((most, { powerW }) => Math.max(most, powerW.length), 0);
  if (longest < FEWEST_SLOTS) {
    throw new WattwardenError('model.no_data', `the longest series has ${longest} slots, ${FEWEST_SLOTS} are needed`);
  }
  if (series.every(neverChanges)) {
    throw new WattwardenError(
      'model.no_data',
      `${series.length} series, and none of them ever changes: ${stillAt(series)}`,
    );
  }
  const endMs = series.reduce((latest, { startMs, powerW }) => Math.max(latest, startMs + powerW.length * slotMs), 0);
  const spare = Math.floor((longest - WINDOW_SLOTS - reachOf(horizons)) * 0.4);
  const tail = Math.max(Math.min(Math.floor(longest * TAIL_SHARE), spare), SHORTEST_TAIL_SLOTS);
  return epochMs(endMs - tail * slotMs);
}

/** What one sees at once: a register in place of power, a column of zeros, a file without a value. */
function stillAt([first]: readonly MeterSeries[]): string {
  const watts = first?.powerW.find(Number.isFinite);
  return watts === undefined ? 'no slot has a value' : `${first?.meter} is always ${watts} W`;
}

function until(series: MeterSeries, endMs: EpochMs, { slotMinutes }: ForecastShape): MeterSeries {
  const slots = Math.floor((endMs - series.startMs) / (slotMinutes * 60_000));
  return firstSlots(series, slots);
}

async function makeGolden(
  { sources }: ForecastPart,
  seed: number,
  predict: { readonly int8: Predict; readonly float32: Predict },
): Promise<GoldenCase[]> {
  const drawn = drawSamples(sources, GOLDEN_CASES, seededRandom(seed)).map(({ source, origin }, index): History => {
    const { window, ...seasons } = source.history.at(origin);
    return asPacked(index === 0 ? { window, ...seasons } : { window });
  });
  const [int8, float32] = [await predict.int8(drawn), await predict.float32(drawn)];
  return drawn.map((history, index) => ({
    history,
    int8: int8[index]?.watts ?? new Float32Array(),
    float32: float32[index]?.watts ?? new Float32Array(),
  }));
}

function describeBundle(
  { version, createdAt, trainedOn, licence, attribution }: TrainBundleOptions,
  { part, evaluation }: { part: ForecastPart; evaluation: Manifest['evaluation'] },
): Omit<Manifest, 'files'> {
  return {
    format: BUNDLE_FORMAT,
    version,
    createdAt: new Date(createdAt).toISOString(),
    featureVersion: FEATURE_VERSION,
    slotMinutes: part.shape.slotMinutes,
    windowSlots: WINDOW_SLOTS,
    horizons: [...part.shape.horizons],
    quantiles: [...QUANTILES],
    parameters: part.parameters,
    forecast: { int8: FILES.int8, float32: FILES.float32 },
    fraud: { file: FILES.fraud, threshold: DECLARED_SCORE },
    calibration: FILES.calibration,
    golden: FILES.golden,
    trainedOn,
    licence: licence ?? 'that of the data it was trained on',
    attribution: attribution ?? '',
    evaluation: asWritten(evaluation),
    ...(part.training === undefined ? {} : { training: rounded(part.training) }),
  };
}

/** JSON has no NaN: a ratio that no meter of the test has is null. */
const asWritten = (evaluation: Manifest['evaluation']): Manifest['evaluation'] =>
  JSON.parse(JSON.stringify(evaluation));
