import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import { LSTM_UNITS, mapWeights, type NetworkWeights, sizeOf } from '../network.js';
import type { ForecastShape } from '../series-history.js';

/** Trust in the same time yesterday, over the window's days, last week, and over 28 days. */
const SEASON_TRUST = [0.15, 0.25, 0.15, 0.25] as const;

/** Where training starts before anything is fitted: seeded, with nothing but seasons and the newest slots in the forecast. */
export function initialWeights({ horizons }: ForecastShape, seed: number): NetworkWeights {
  const steps = horizons.length;
  const random = seededRandom(seed);
  return mapWeights(steps, (name, shape) => {
    const size = sizeOf(shape);
    switch (name) {
      case 'seasons':
        return Float32Array.from({ length: size }, (_, at) => SEASON_TRUST[Math.floor(at / steps)] ?? 0);
      case 'lstm':
      case 'recurrent':
      case 'dense':
      case 'narrow':
      case 'blend':
      case 'blendHidden':
        return glorot(shape, random);
      case 'lstmBias':
        // A new LSTM remembers: the forget gate starts open.
        return Float32Array.from({ length: size }, (_, at) => (Math.floor(at / LSTM_UNITS) === 1 ? 1 : 0));
      default:
        return new Float32Array(size);
    }
  });
}

export function glorot(shape: readonly number[], random: Random): Float32Array {
  const [inputs = 1, outputs = 1] = shape;
  const limit = Math.sqrt(6 / (inputs + outputs));
  return Float32Array.from({ length: inputs * outputs }, () => (2 * random() - 1) * limit);
}
