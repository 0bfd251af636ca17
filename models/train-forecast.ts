import { seededRandom } from '../agent/domain/clock.js';
import { WattwardenError } from '../agent/domain/errors.js';
import { parseJson, readBundleFiles } from './bundle/read.js';
import {
  type Calibration,
  calibrate,
  parseCalibration,
  storedCalibration,
  uncalibrated,
} from './forecast/calibration.js';
import { createEncoder } from './forecast/features.js';
import { QUANTILES } from './forecast/horizons.js';
import { parameterCount } from './forecast/network.js';
import { createSource, drawSamples, type SampleSource, targetsOf } from './forecast/samples.js';
import type { ForecastShape } from './forecast/series-history.js';
import type { TrainingRecord } from './forecast/train/checkpoint.js';
import type { TrainOptions } from './forecast/train/train.js';
import { openNetwork } from './forecaster.js';
import { exportOnnx, storedWeights } from './onnx/export.js';
import type { MeterSeries } from './series.js';
import type { Place } from './window/calendar.js';

/** The forecaster's half of a bundle. */
export interface ForecastPart {
  readonly shape: ForecastShape;
  readonly int8: Uint8Array;
  readonly float32: Uint8Array;
  readonly calibration: Calibration;
  readonly parameters: number;
  /** Missing where the network came from elsewhere. */
  readonly training?: TrainingRecord | undefined;
  readonly sources: readonly SampleSource[];
}

const CALIBRATION_WINDOWS = 8_192;
const CALIBRATION_BATCH = 512;

export async function trainForecastPart(options: TrainOptions): Promise<ForecastPart> {
  const { shape, seed, place } = options;
  // TensorFlow.js stays out of whoever only evaluates or serves.
  const { trainForecaster } = await import('./forecast/train/train.js');
  const { weights: trained, sources, ...training } = await trainForecaster(options);
  const weights = storedWeights(trained);
  const [int8, float32] = [exportOnnx(weights, shape, 'int8'), exportOnnx(weights, shape, 'float32')];
  const calibration = storedCalibration(await calibrateOn(sources, { model: float32, shape, seed, place }));
  return { shape, int8, float32, calibration, parameters: parameterCount(weights), training, sources };
}

/** That of a bundle; its theft model may be of any kind. */
export async function loadForecastPart(
  dir: string,
  series: readonly MeterSeries[],
  shape: ForecastShape,
): Promise<ForecastPart> {
  const { manifest, file } = await readBundleFiles(dir, shape.slotMinutes);
  const calibration = parseCalibration(
    parseJson(file(manifest.calibration), manifest.calibration),
    shape.horizons.length,
  );
  if ('reason' in calibration) throw new WattwardenError('bundle.unreadable', calibration.reason);
  return {
    shape,
    int8: file(manifest.forecast.int8),
    float32: file(manifest.forecast.float32),
    calibration,
    parameters: manifest.parameters,
    training: manifest.training,
    sources: series.map((one) => createSource(one, shape)).filter(({ origins }) => origins.length > 0),
  };
}

interface CalibrationOptions {
  readonly model: Uint8Array;
  readonly shape: ForecastShape;
  readonly seed: number;
  readonly place: Place | undefined;
}

/** On the weeks that training left out; a fleet too young to spare any keeps the network's own bands. */
async function calibrateOn(
  sources: readonly SampleSource[],
  { model, shape, seed, place }: CalibrationOptions,
): Promise<Calibration> {
  const steps = shape.horizons.length;
  const kept = sources.flatMap((source) =>
    source.validation.length === 0 ? [] : [{ ...source, origins: source.validation }],
  );
  const available = kept.reduce((sum, { origins }) => sum + origins.length, 0);
  if (available === 0) return uncalibrated(steps);
  const samples = drawSamples(kept, Math.min(available, CALIBRATION_WINDOWS), seededRandom(seed + 3));
  const encoder = createEncoder(shape, place);
  const network = await openNetwork(model, shape);
  const width = steps * QUANTILES.length;
  const data = {
    steps,
    rows: samples.length,
    answers: new Float32Array(samples.length * width),
    actuals: new Float32Array(samples.length * steps),
    weights: new Float32Array(samples.length * steps),
  };
  for (let from = 0; from < samples.length; from += CALIBRATION_BATCH) {
    const batch = samples.slice(from, from + CALIBRATION_BATCH);
    const encoded = encoder.encode(batch.map(({ source, origin }) => source.history.at(origin)));
    const targets = targetsOf(batch, encoded);
    data.answers.set((await network.run(encoded)).subarray(0, batch.length * width), from * width);
    data.actuals.set(targets.values, from * steps);
    data.weights.set(targets.weights, from * steps);
  }
  await network.close();
  return calibrate(data);
}
