import { setImmediate as breathe } from 'node:timers/promises';
import { seededRandom } from '../../../agent/domain/clock.js';
import { WattwardenError } from '../../../agent/domain/errors.js';
import type { MeterSeries, OnProgress } from '../../series.js';
import { encode } from '../features.js';
import { type NetworkWeights, pool } from '../network.js';
import { actualsAt, createSource, drawSamples, type SampleSource, targetsOf, trainingWindow } from '../samples.js';
import { loadBackend } from './backend.js';
import { createNetwork } from './layers.js';

const BATCH = 256;
/** 12 × 32 batches take about 25 s on one core; what more brings belongs to a longer, separate training. */
const DEFAULT_EPOCHS = 12;
const MOST_STEPS_PER_EPOCH = 32;
/** With two days of one meter an epoch would be a fraction of a batch. */
const FEWEST_STEPS_PER_EPOCH = 4;
const FIRST_RATE = 0.006;
const LAST_RATE = 0.0006;
const FEWEST_WINDOWS = 16;

export interface TrainOptions {
  readonly series: readonly MeterSeries[];
  readonly seed: number;
  readonly epochs?: number;
  readonly onProgress?: OnProgress;
}

export interface TrainedForecaster {
  readonly weights: NetworkWeights;
  /** Mean pinball loss of each epoch, in units of the windows' scale. */
  readonly losses: readonly number[];
  readonly backend: string;
  readonly reason: string;
}

/** Throws `model.no_data` when some horizon has nothing to learn from. */
export async function trainForecaster(options: TrainOptions): Promise<TrainedForecaster> {
  const sources = options.series.map(createSource).filter((source) => source.origins.length > 0);
  const windows = countTrainable(sources);
  const backend = await loadBackend();
  const network = createNetwork(backend, { seed: options.seed });
  try {
    const random = seededRandom(options.seed);
    const epochs = options.epochs ?? DEFAULT_EPOCHS;
    const perEpoch = Math.min(Math.max(Math.round(windows / BATCH), FEWEST_STEPS_PER_EPOCH), MOST_STEPS_PER_EPOCH);
    const losses: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      let sum = 0;
      for (let step = 0; step < perEpoch; step++) {
        const progress = (epoch * perEpoch + step) / (epochs * perEpoch);
        const samples = drawSamples(sources, BATCH, random);
        const encoded = encode(samples.map((sample) => trainingWindow(sample, random)));
        sum += network.learn(
          pool(encoded),
          targetsOf(samples, encoded),
          FIRST_RATE + (LAST_RATE - FIRST_RATE) * progress,
        );
        await breathe();
      }
      const loss = sum / perEpoch;
      losses.push(loss);
      options.onProgress?.({
        phase: 'forecast',
        done: (epoch + 1) / epochs,
        detail: `epoch ${epoch + 1} of ${epochs} on ${backend.name}: loss ${loss.toFixed(4)}`,
      });
    }
    return { weights: network.weights(), losses, backend: backend.name, reason: backend.reason };
  } finally {
    network.dispose();
  }
}

function countTrainable(sources: readonly SampleSource[]): number {
  const windows = sources.reduce((sum, source) => sum + source.origins.length, 0);
  // The farthest horizon is the last to have an actual, and the first origin reaches least far.
  const complete = sources.some((source) => {
    const origin = source.origins[0];
    return origin !== undefined && !Number.isNaN(actualsAt({ source, origin }).at(-1) ?? Number.NaN);
  });
  if (windows >= FEWEST_WINDOWS && complete) return windows;
  throw new WattwardenError('model.no_data', `${windows} windows with an actual in ${sources.length} usable series`);
}
