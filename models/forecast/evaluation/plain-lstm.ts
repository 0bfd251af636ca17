import { seededRandom } from '../../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { createEncoder } from '../features.js';
import { drawSamples, targetsOf } from '../samples.js';
import { loadBackend } from '../train/backend.js';
import { createPlainLstm, type PlainLstm } from '../train/plain-lstm.js';
import type { Baseline } from './baseline.js';
import type { Schooling } from './schooling.js';

const LESSONS = 1_200;
const BATCH = 128;
const SAID_EVERY = 100;

/** The usual LSTM over 288 single steps: what a forecaster of load is in most descriptions. */
export async function trainPlainLstm({ sources, shape, seed, place, tell }: Schooling): Promise<Baseline> {
  const encoder = createEncoder(shape, place);
  const steps = shape.horizons.length;
  const network: PlainLstm = createPlainLstm(await loadBackend(), { steps, seed });
  const random = seededRandom(seed);
  let sum = 0;
  for (let lesson = 1; lesson <= LESSONS; lesson++) {
    const samples = drawSamples(sources, BATCH, random);
    const encoded = encoder.encode(samples.map(({ source, origin }) => source.history.at(origin)));
    sum += network.learn(encoded, targetsOf(samples, encoded));
    if (lesson % SAID_EVERY > 0) continue;
    tell(`plain LSTM: ${lesson} of ${LESSONS} batches, loss ${(sum / SAID_EVERY).toFixed(4)}`);
    sum = 0;
  }
  return {
    name: 'plain_lstm',
    prepare: ({ series, at }, testFrom) => {
      const first = Math.max(testFrom, WINDOW_SLOTS);
      const origins = Math.max(series.powerW.length - first, 0);
      const answers = new Float32Array(origins * steps);
      // All of a meter's windows at once: one by one they would take minutes a meter.
      for (let from = 0; from < origins; from += BATCH) {
        const count = Math.min(BATCH, origins - from);
        const encoded = encoder.encode(Array.from({ length: count }, (_, row) => at(first + from + row)));
        for (const [index, answer] of network.predict(encoded).entries()) {
          const row = Math.floor(index / steps);
          answers[from * steps + index] = (encoded.centreW[row] as number) + (encoded.scaleW[row] as number) * answer;
        }
      }
      return (origin, out) => {
        for (let step = 0; step < steps; step++) out[step] = answers[(origin - first) * steps + step] ?? Number.NaN;
      };
    },
  };
}
