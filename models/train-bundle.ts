import { type EpochMs, epochMs } from '../agent/domain/brand.js';
import { seededRandom } from '../agent/domain/clock.js';
import { WattwardenError } from '../agent/domain/errors.js';
import { SLOT_MINUTES, SLOT_MS, WINDOW_SLOTS } from '../agent/domain/slot.js';
import { writeCard } from './bundle/card.js';
import { type GoldenCase, packGolden } from './bundle/golden.js';
import { BUNDLE_FORMAT, type Manifest } from './bundle/manifest.js';
import { type Bundle, readBundle } from './bundle/read.js';
import { writeBundle } from './bundle/write.js';
import { evaluateForecasts } from './forecast/evaluation.js';
import { FEATURE_VERSION } from './forecast/features.js';
import { HORIZONS, QUANTILES, REACH_SLOTS, wattsAt } from './forecast/horizons.js';
import { type NetworkWeights, parameterCount } from './forecast/network.js';
import { createSource, drawSamples, windowAt } from './forecast/samples.js';
import { DECLARED_SCORE } from './fraud/calibration.js';
import { packTheftModel, type TheftModel } from './fraud/theft-model.js';
import { trainTheftModel } from './fraud/theft-training.js';
import { exportOnnx } from './onnx/export.js';
import { openNetwork, type Predict, predictWith } from './onnx/session.js';
import type { MeterSeries, OnProgress } from './series.js';

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
  readonly onProgress?: OnProgress;
}

/** A day to look back on, a day to look ahead, and enough between them for a test. */
export const FEWEST_SLOTS = WINDOW_SLOTS + REACH_SLOTS + 30;
const TAIL_SHARE = 0.15;
const SHORTEST_TAIL_SLOTS = 12;
const GOLDEN_CASES = 4;
const FILES = {
  int8: 'forecast.int8.onnx',
  float32: 'forecast.float32.onnx',
  fraud: 'forest.json',
  golden: 'golden.json',
};

/** From series to a written, unsigned bundle. The same seed and the same series give the same bytes. */
export async function trainBundle(options: TrainBundleOptions): Promise<Bundle> {
  const { series, seed, onProgress } = options;
  const splitMs = chooseSplit(series);
  const head = series.map((one) => until(one, splitMs));
  // TensorFlow.js stays out of whoever only evaluates or serves.
  const { trainForecaster } = await import('./forecast/train/train.js');
  const { weights } = await trainForecaster({
    series: head,
    seed,
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const int8 = exportOnnx(weights, 'int8');
  const float32 = exportOnnx(weights, 'float32');
  const networks = { int8: await openNetwork(int8), float32: await openNetwork(float32) };
  try {
    const predict = predictWith(networks.int8);
    const theft = await trainTheftModel({
      series: head,
      seed,
      expect: async (windows) => (await predict(windows)).map((row) => wattsAt(row, 0, 1)),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    onProgress?.({ phase: 'evaluate', done: 0, detail: 'model beside persistence and the same time yesterday' });
    const evaluation = await evaluateTail(series, splitMs, predict);
    const golden = await makeGolden(head, seed, { int8: predict, float32: predictWith(networks.float32) });
    const manifest = describeBundle(options, { weights, evaluation });
    const files = {
      [FILES.int8]: int8,
      [FILES.float32]: float32,
      [FILES.fraud]: packTheftModel(theft),
      [FILES.golden]: packGolden({ cases: golden }),
      'card.md': writeCard(manifest, { trees: treesOf(theft) }),
    };
    await writeBundle(options.dir, { manifest, files });
    onProgress?.({ phase: 'evaluate', done: 1, detail: `bundle ${options.version} written` });
    return await readBundle(options.dir);
  } finally {
    await networks.int8.close();
    await networks.float32.close();
  }
}

/** The last part of the longest series is for the test; throws `model.no_data` when none is long enough. */
function chooseSplit(series: readonly MeterSeries[]): EpochMs {
  const longest = series.reduce((most, { powerW }) => Math.max(most, powerW.length), 0);
  if (longest < FEWEST_SLOTS) {
    throw new WattwardenError('model.no_data', `the longest series has ${longest} slots, ${FEWEST_SLOTS} are needed`);
  }
  const endMs = series.reduce((latest, { startMs, powerW }) => Math.max(latest, startMs + powerW.length * SLOT_MS), 0);
  const spare = Math.floor((longest - WINDOW_SLOTS - REACH_SLOTS) * 0.4);
  const tail = Math.max(Math.min(Math.floor(longest * TAIL_SHARE), spare), SHORTEST_TAIL_SLOTS);
  return epochMs(endMs - tail * SLOT_MS);
}

function until(series: MeterSeries, endMs: EpochMs): MeterSeries {
  const slots = Math.min(Math.max(Math.floor((endMs - series.startMs) / SLOT_MS), 0), series.powerW.length);
  return { ...series, powerW: series.powerW.subarray(0, slots) };
}

async function evaluateTail(
  series: readonly MeterSeries[],
  fromMs: EpochMs,
  predict: Predict,
): Promise<Manifest['evaluation']> {
  const { meters, windows, maeW } = await evaluateForecasts({ series, fromMs, predict });
  const split = `The part from ${new Date(fromMs).toISOString()} on, which training has not seen, of the same meters.`;
  return { split, meters, windows, maeW };
}

async function makeGolden(
  series: readonly MeterSeries[],
  seed: number,
  predict: { readonly int8: Predict; readonly float32: Predict },
): Promise<GoldenCase[]> {
  const sources = series.map(createSource).filter(({ origins }) => origins.length > 0);
  const windows = drawSamples(sources, GOLDEN_CASES, seededRandom(seed)).map(({ source, origin }) =>
    windowAt({ series: source.series, origin }),
  );
  const [int8, float32] = [await predict.int8(windows), await predict.float32(windows)];
  return windows.map((window, index) => ({
    window,
    int8: int8[index]?.watts ?? new Float32Array(),
    float32: float32[index]?.watts ?? new Float32Array(),
  }));
}

function describeBundle(
  { version, createdAt, trainedOn, licence, attribution }: TrainBundleOptions,
  { weights, evaluation }: { weights: NetworkWeights; evaluation: Manifest['evaluation'] },
): Omit<Manifest, 'files'> {
  return {
    format: BUNDLE_FORMAT,
    version,
    createdAt: new Date(createdAt).toISOString(),
    featureVersion: FEATURE_VERSION,
    slotMinutes: SLOT_MINUTES,
    windowSlots: WINDOW_SLOTS,
    horizons: [...HORIZONS],
    quantiles: [...QUANTILES],
    parameters: parameterCount(weights),
    forecast: { int8: FILES.int8, float32: FILES.float32 },
    fraud: { file: FILES.fraud, threshold: DECLARED_SCORE },
    golden: FILES.golden,
    trainedOn,
    licence: licence ?? 'that of the data it was trained on',
    attribution: attribution ?? '',
    evaluation,
  };
}

const treesOf = ({ forest }: TheftModel): number => forest.roots.length;
