import type { Random } from '../../../agent/domain/clock.js';
import { type Encoded, type Encoder, SEASONS } from '../features.js';
import { createLeastSquares } from '../least-squares.js';
import { LINEAR_SIZE, type NetworkWeights } from '../network.js';
import { drawSamples, type SampleSource, targetsOf, trainingHistory } from '../samples.js';
import type { Network } from './layers.js';

const BATCH = 1_024;
const MOST_BATCHES = 32;
/** Single peaks pull a mean away from where the median lies. */
const LOWEST_TARGET = -8;
const HIGHEST_TARGET = 12;
/** Slots of a smooth load hardly differ from their neighbours: more would flatten what tells them apart. */
const RIDGE = 1e-6;

export interface LinearStart {
  readonly encoder: Encoder;
  readonly network: Network;
  readonly sources: readonly SampleSource[];
  readonly random: Random;
}

/** The linear path by least squares: training begins at a good linear forecast and corrects that. */
export function fitLinear(weights: NetworkWeights, { encoder, network, sources, random }: LinearStart): NetworkWeights {
  const steps = encoder.shape.horizons.length;
  const squares = createLeastSquares(LINEAR_SIZE + 1, steps);
  const windows = sources.reduce((sum, { origins }) => sum + origins.length, 0);
  const row = new Float32Array(LINEAR_SIZE + 1).fill(1);
  const rest = new Float64Array(steps);
  const batches = Math.min(MOST_BATCHES, Math.ceil(windows / BATCH));
  for (let batch = 0; batch < batches; batch++) {
    const samples = drawSamples(sources, Math.min(BATCH, windows), random);
    const encoded = encoder.encode(samples.map((sample) => trainingHistory(sample, random)));
    const targets = targetsOf(samples, encoded);
    const inputs = network.linearInputs(encoded);
    for (let sample = 0; sample < samples.length; sample++) {
      const at = sample * steps;
      // Least squares has one set of rows for all steps: those that know every step.
      const weight = targets.weights.subarray(at, at + steps).reduce((least, value) => Math.min(least, value), 1);
      if (weight === 0) continue;
      row.set(inputs.subarray(sample * LINEAR_SIZE, (sample + 1) * LINEAR_SIZE));
      for (let step = 0; step < steps; step++) {
        const target = Math.min(Math.max(targets.values[at + step] as number, LOWEST_TARGET), HIGHEST_TARGET);
        rest[step] = target - seasonalPart(weights, encoded, { sample, step, steps });
      }
      squares.add(row, rest, weight);
    }
  }
  const solution = squares.solve(RIDGE);
  return {
    ...weights,
    linear: Float32Array.from(solution.subarray(0, LINEAR_SIZE * steps)),
    linearBias: Float32Array.from(solution.subarray(LINEAR_SIZE * steps)),
  };
}

function seasonalPart(
  weights: NetworkWeights,
  { seasons }: Encoded,
  { sample, step, steps }: { sample: number; step: number; steps: number },
): number {
  let sum = 0;
  for (let season = 0; season < SEASONS; season++) {
    sum +=
      (weights.seasons[season * steps + step] as number) *
      (seasons[(sample * SEASONS + season) * steps + step] as number);
  }
  return sum;
}
