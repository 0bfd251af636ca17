import { seededRandom } from '../../agent/domain/clock.js';
import { storedWeights } from '../onnx/export.js';
import { resample } from '../resample.js';
import { createHouseholds } from '../synthetic.js';
import { createEncoder } from './features.js';
import { horizonsFor } from './horizons.js';
import { mapWeights, type NetworkWeights, sizeOf } from './network.js';
import { createSource, drawSamples, trainingHistory } from './samples.js';

export const SEED = 5;

/** As large as trained ones, and nowhere zero, so that a gate in the wrong place shows. */
export function untrained(steps: number): NetworkWeights {
  const random = seededRandom(SEED);
  const weights = mapWeights(steps, (_, dims) => {
    const limit = dims.length === 1 ? 0.3 : 1.2 / Math.sqrt(dims[0] ?? 1);
    return Float32Array.from({ length: sizeOf(dims) }, () => (random() * 2 - 1) * limit);
  });
  return storedWeights(weights);
}

/** A network that nobody trained, and windows of simulated homes to ask it about. */
export function prepare(slotMinutes: number, count = 128) {
  const shape = { slotMinutes, horizons: horizonsFor(slotMinutes) };
  const homes = createHouseholds({ meters: 12, days: slotMinutes === 5 ? 9 : 20, seed: SEED });
  const sources = homes.map((series) => createSource(resample(series, 5, slotMinutes), shape));
  const random = seededRandom(SEED);
  const histories = drawSamples(sources, count, random).map((sample) => trainingHistory(sample, random));
  const encoder = createEncoder(shape);
  return {
    shape,
    histories,
    encoder,
    encoded: encoder.encode(histories),
    weights: untrained(shape.horizons.length),
  };
}
