import { setImmediate as breathe } from 'node:timers/promises';
import { seededRandom } from '../../../agent/domain/clock.js';
import { createEncoder } from '../features.js';
import { drawSamples, targetsOf } from '../samples.js';
import { createPlainLstm, PLAIN_UNITS } from '../train/plain-lstm.js';
import { stepWeights } from '../train/train.js';
import type { Baseline } from './baseline.js';
import type { Schooling } from './schooling.js';

const LESSONS = 1_200;
const BATCH = 128;
/** Of 0.004 and 0.012 the better one on weeks kept out of training, after 150 batches. */
const FIRST_RATE = 0.012;
/** Windows that are encoded at once: some 2 MB. */
const ANSWERED_AT_ONCE = 512;
const SAID_EVERY = 100;

/**
 * The usual LSTM over 288 single steps: what a forecaster of load is in most descriptions. The rate falls to nothing along
 * a cosine and the last weights count; no epoch is chosen.
 */
export async function trainPlainLstm(
  { sources, shape, seed, place, tell }: Schooling,
  lessons: number = LESSONS,
): Promise<Baseline> {
  const encoder = createEncoder(shape, place);
  const steps = shape.horizons.length;
  const network = createPlainLstm({ seed, stepWeights: stepWeights(shape) });
  const random = seededRandom(seed);
  tell(`plain LSTM: ${PLAIN_UNITS} units, ${lessons} batches of ${BATCH} windows, seed ${seed}`);
  let sum = 0;
  for (let lesson = 0; lesson < lessons; lesson++) {
    const samples = drawSamples(sources, BATCH, random);
    const encoded = encoder.encode(samples.map(({ source, origin }) => source.history.at(origin)));
    const rate = (FIRST_RATE * (1 + Math.cos((Math.PI * lesson) / lessons))) / 2;
    sum += network.learn(encoded, targetsOf(samples, encoded), rate);
    await breathe();
    if ((lesson + 1) % SAID_EVERY > 0) continue;
    tell(`plain LSTM: ${lesson + 1} of ${lessons} batches, loss ${(sum / SAID_EVERY).toFixed(4)}`);
    sum = 0;
  }
  return {
    name: 'plain_lstm',
    prepare: ({ at }, _testFrom, origins) => {
      const rows = new Map(origins.map((origin, row) => [origin, row]));
      const answers = new Float32Array(origins.length * steps);
      for (let from = 0; from < origins.length; from += ANSWERED_AT_ONCE) {
        const encoded = encoder.encode(origins.slice(from, from + ANSWERED_AT_ONCE).map(at));
        for (const [index, answer] of network.predict(encoded).entries()) {
          const row = Math.floor(index / steps);
          answers[from * steps + index] = (encoded.centreW[row] as number) + (encoded.scaleW[row] as number) * answer;
        }
      }
      return (origin, out) => {
        const row = rows.get(origin);
        for (let step = 0; step < steps; step++) {
          out[step] = row === undefined ? Number.NaN : (answers[row * steps + step] as number);
        }
      };
    },
  };
}
