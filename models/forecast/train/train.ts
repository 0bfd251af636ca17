import { setImmediate as breathe } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import { WattwardenError } from '../../../agent/domain/errors.js';
import type { MeterSeries, OnProgress } from '../../series.js';
import type { Place } from '../../window/calendar.js';
import { createEncoder, type Encoder } from '../features.js';
import type { NetworkWeights } from '../network.js';
import { createSource, drawSamples, type Sample, type SampleSource, targetsOf, trainingHistory } from '../samples.js';
import type { ForecastShape } from '../series-history.js';
import { createAdam } from './adam.js';
import { loadBackend } from './backend.js';
import {
  type Checkpoints,
  type EpochLoss,
  type Progress,
  packProgress,
  type TrainingRecord,
  unpackProgress,
} from './checkpoint.js';
import { dataDigest } from './data-digest.js';
import { initialWeights } from './initial.js';
import { createNetwork, type Network } from './layers.js';
import { fitLinear } from './linear-start.js';

const LARGEST_BATCH = 256;
const SMALLEST_BATCH = 32;
/** A small fleet is learnt in more, smaller steps. */
const FEWEST_BATCHES = 16;
/** 30 epochs of 128 batches are a million windows: some nine minutes on one core with the WASM backend. */
const DEFAULT_EPOCHS = 30;
const MOST_STEPS_PER_EPOCH = 128;
/** With two days of one meter an epoch would be a fraction of a batch. */
const FEWEST_STEPS_PER_EPOCH = 4;
const FIRST_RATE = 0.008;
const LAST_RATE = 0.00016;
const WARM_UP_STEPS = 50;
const FEWEST_WINDOWS = 16;
const MOST_VALIDATION_WINDOWS = 4_096;
/**
 * Epochs without a better one after which nothing more is expected. While the rate is high the error goes up and down:
 * a training that stopped within its first half has never been let settle.
 */
const PATIENCE = 10;
const PATIENCE_SHARE = 0.5;
/**
 * What an operator looks at most, and what the theft model rests on, is the next slot. Below half an hour it hardly differs from
 * the newest, and what can be learnt of it is small beside all other steps.
 */
const NEXT_SLOT_WEIGHT = 24;
const NEXT_SHORT_SLOT_WEIGHT = 100;
const SHORT_SLOT_MINUTES = 30;

export interface TrainOptions {
  readonly series: readonly MeterSeries[];
  readonly shape: ForecastShape;
  readonly seed: number;
  readonly epochs?: number | undefined;
  readonly place?: Place | undefined;
  readonly checkpoints?: Checkpoints | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface TrainedForecaster extends TrainingRecord {
  readonly weights: NetworkWeights;
  readonly sources: readonly SampleSource[];
}

/** Throws `model.no_data` when some horizon has nothing to learn from. */
export async function trainForecaster(options: TrainOptions): Promise<TrainedForecaster> {
  const { shape, seed, place, onProgress } = options;
  const sources = options.series
    .map((series) => createSource(series, shape))
    .filter(({ origins }) => origins.length > 0);
  const windows = countTrainable(sources, shape);
  const drawn = sources.flatMap((source) => new Array<SampleSource>(source.history.series.draws ?? 1).fill(source));
  const backend = await loadBackend();
  const encoder = createEncoder(shape, place);
  const weights = initialWeights(shape, seed);
  const network = createNetwork(backend, { shape, weights, stepWeights: stepWeights(shape) });
  try {
    const epochs = options.epochs ?? DEFAULT_EPOCHS;
    const batch = Math.min(Math.max(Math.floor(windows / FEWEST_BATCHES), SMALLEST_BATCH), LARGEST_BATCH);
    const perEpoch = Math.min(Math.max(Math.round(windows / batch), FEWEST_STEPS_PER_EPOCH), MOST_STEPS_PER_EPOCH);
    const purpose = JSON.stringify({
      seed,
      epochs,
      perEpoch,
      windows,
      meters: sources.length,
      slots: shape.slotMinutes,
      backend: backend.name,
      data: options.checkpoints === undefined ? '' : dataDigest(seriesOf(sources), shape, place),
    });
    const validate = createValidation({ network, encoder, sources, seed });
    let progress =
      (await lastProgress(options.checkpoints, purpose)) ??
      start(fitLinear(weights, { encoder, network, sources: drawn, random: seededRandom(seed + 1) }));
    const patience = Math.max(PATIENCE, epochs * PATIENCE_SHARE);
    while (progress.epoch < epochs && progress.epoch - progress.best.epoch < patience) {
      // Each epoch has its own seed, so that a training that is taken up again goes on as it would have.
      const random = seededRandom(seed * 1_000_003 + progress.epoch);
      progress = await runEpoch(progress, {
        network,
        encoder,
        sources: drawn,
        random,
        epochs,
        batch,
        perEpoch,
        validate,
      });
      await options.checkpoints?.save(packProgress(progress, purpose));
      const { training, validation } = progress.curve.at(-1) ?? NO_LOSS;
      onProgress?.({
        phase: 'forecast',
        done: progress.epoch / epochs,
        detail: `epoch ${progress.epoch} of ${epochs} on ${backend.name}: loss ${training.toFixed(4)}, validation ${validation.toFixed(4)}`,
      });
    }
    const { best, curve } = progress;
    return { weights: best.weights, sources, seed, backend: backend.name, curve, bestEpoch: best.epoch };
  } finally {
    network.dispose();
  }
}

/** What an earlier run of the same training has kept. */
async function lastProgress(checkpoints: Checkpoints | undefined, purpose: string): Promise<Progress | undefined> {
  const stored = await checkpoints?.load();
  if (checkpoints === undefined || stored === undefined) return undefined;
  return unpackProgress(stored, { purpose, name: checkpoints.name });
}

const seriesOf = (sources: readonly SampleSource[]): MeterSeries[] => sources.map(({ history }) => history.series);

const NO_LOSS: EpochLoss = { training: 0, validation: 0 };

function start(weights: NetworkWeights): Progress {
  return {
    epoch: 0,
    weights,
    adam: createAdam(weights.linearBias.length).state,
    best: { epoch: 0, loss: Number.MAX_VALUE, weights },
    curve: [],
  };
}

interface Epoch {
  readonly network: Network;
  readonly encoder: Encoder;
  readonly sources: readonly SampleSource[];
  readonly random: Random;
  readonly epochs: number;
  readonly batch: number;
  readonly perEpoch: number;
  readonly validate: () => number;
}

async function runEpoch(before: Progress, epoch: Epoch): Promise<Progress> {
  const { network, encoder, sources, random, epochs, batch, perEpoch, validate } = epoch;
  const weights = copyOf(before.weights);
  const adam = createAdam(weights.linearBias.length, before.adam);
  let sum = 0;
  for (let step = 0; step < perEpoch; step++) {
    const samples = drawSamples(sources, batch, random);
    const encoded = encoder.encode(samples.map((sample) => trainingHistory(sample, random)));
    network.assign(weights);
    const { loss, gradients } = network.gradients(encoded, targetsOf(samples, encoded));
    adam.step(weights, gradients, rateAt(before.epoch * perEpoch + step, epochs * perEpoch));
    sum += loss;
    await breathe();
  }
  network.assign(weights);
  const validation = validate();
  const best =
    validation < before.best.loss
      ? { epoch: before.epoch + 1, loss: validation, weights: copyOf(weights) }
      : before.best;
  const curve = [...before.curve, { training: sum / perEpoch, validation }];
  return { epoch: before.epoch + 1, weights, adam: adam.state, best, curve };
}

/** Up for a few steps, then down along a cosine. */
function rateAt(step: number, steps: number): number {
  const warm = Math.min(1, (step + 1) / WARM_UP_STEPS);
  return warm * (LAST_RATE + ((FIRST_RATE - LAST_RATE) * (1 + Math.cos((Math.PI * step) / steps))) / 2);
}

/** The same windows after every epoch; those of training where a series is too short to spare any. */
function createValidation({
  network,
  encoder,
  sources,
  seed,
}: Omit<Epoch, 'random' | 'epochs' | 'batch' | 'perEpoch' | 'validate'> & { seed: number }) {
  const kept = sources.filter(({ validation }) => validation.length > 0);
  const from = kept.length > 0 ? kept.map((source) => ({ ...source, origins: source.validation })) : sources;
  const available = from.reduce((sum, { origins }) => sum + origins.length, 0);
  const samples = drawSamples(from, Math.min(available, MOST_VALIDATION_WINDOWS), seededRandom(seed + 2));
  const batches: Sample[][] = [];
  for (let at = 0; at < samples.length; at += LARGEST_BATCH) batches.push(samples.slice(at, at + LARGEST_BATCH));
  return () => {
    let sum = 0;
    for (const batch of batches) {
      const encoded = encoder.encode(batch.map(({ source, origin }) => source.history.at(origin)));
      sum += network.loss(encoded, targetsOf(batch, encoded)) * batch.length;
    }
    return sum / samples.length;
  };
}

/** How much each step counts, summing to the number of steps. */
export function stepWeights({ horizons, slotMinutes }: ForecastShape): Float32Array {
  const next = slotMinutes < SHORT_SLOT_MINUTES ? NEXT_SHORT_SLOT_WEIGHT : NEXT_SLOT_WEIGHT;
  const raw = Float32Array.from(horizons, (_, step) => (step === 0 ? next : 1));
  const mean = raw.reduce((sum, weight) => sum + weight, 0) / raw.length;
  return raw.map((weight) => weight / mean);
}

const copyOf = (weights: NetworkWeights): NetworkWeights =>
  Object.fromEntries(
    Object.entries(weights).map(([name, array]) => [name, array.slice()]),
  ) as unknown as NetworkWeights;

function countTrainable(sources: readonly SampleSource[], { horizons }: ForecastShape): number {
  const windows = sources.reduce((sum, { origins }) => sum + origins.length, 0);
  const actuals = new Float64Array(horizons.length);
  // The farthest horizon is the last to have an actual, and the first origin reaches least far.
  const complete = sources.some(({ history, origins: [origin] }) => {
    return origin !== undefined && !Number.isNaN(history.actualsAt(origin, actuals).at(-1) ?? Number.NaN);
  });
  if (windows >= FEWEST_WINDOWS && complete) return windows;
  throw new WattwardenError('model.no_data', `${windows} windows with an actual in ${sources.length} usable series`);
}
