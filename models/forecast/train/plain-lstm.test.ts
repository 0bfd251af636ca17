import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { createHouseholds } from '../../synthetic.js';
import { createEncoder } from '../features.js';
import { horizonsFor } from '../horizons.js';
import { createSource, drawSamples, targetsOf } from '../samples.js';
import { loadBackend } from './backend.js';
import { createPlainLstm, createWalk, firstCell, PLAIN_UNITS } from './plain-lstm.js';

const shape = { slotMinutes: 5, horizons: horizonsFor(5) };
const sources = createHouseholds({ meters: 2, days: 4, seed: 31 }).map((series) => createSource(series, shape));
const samples = drawSamples(sources, 16, seededRandom(4));
const batch = createEncoder(shape).encode(samples.map(({ source, origin }) => source.history.at(origin)));
const targets = targetsOf(samples, batch);
const cell = Float64Array.from(firstCell(seededRandom(3)));
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);

test('it is the LSTM of TensorFlow.js', async () => {
  const { tf, layers } = await loadBackend();
  const lstm = layers.layers.lstm({
    units: PLAIN_UNITS,
    recurrentActivation: 'sigmoid',
    recurrentInitializer: 'zeros',
  });
  const rows = Array.from({ length: WINDOW_SLOTS }, (_, slot) => [
    batch.window[slot] as number,
    ...[0, 1, 6].map((index) => batch.context[index] as number),
  ]);
  const inputs = tf.tensor3d([rows]);
  // It has weights only once it was given something.
  lstm.apply(inputs);
  /** [inputs or units, gates × units] of theirs, from ours by unit. */
  const part = (from: number, count: number) =>
    tf.tensor2d(
      Array.from({ length: count }, (_, at) =>
        Array.from({ length: 4 * PLAIN_UNITS }, (_gate, column) => {
          const [gate, unit] = [Math.floor(column / PLAIN_UNITS), column % PLAIN_UNITS];
          return cell[(unit * (5 + PLAIN_UNITS) + from + at) * 4 + gate] as number;
        }),
      ),
    );
  lstm.setWeights([part(0, 4), part(5, PLAIN_UNITS), tf.reshape(part(4, 1), [-1])]);
  const theirs = (lstm.apply(inputs) as typeof inputs).dataSync();
  const ours = createWalk().forward(batch, 0, cell);
  for (const [unit, value] of ours.entries()) expect(value).toBeCloseTo(theirs[unit] as number, 4);
}, 180_000);

test('the gradient by hand is the slope', () => {
  const random = seededRandom(8);
  const towards = Float64Array.from({ length: PLAIN_UNITS }, () => random() - 0.5);
  const walk = createWalk();
  const valueAt = (weights: Float64Array) => dot(towards, walk.forward(batch, 1, weights));
  const gradient = new Float64Array(cell.length);
  valueAt(cell);
  walk.backward(towards.slice(), cell, gradient);
  // Any direction will do: every weight has a part in it.
  const direction = Float64Array.from(cell, () => random() - 0.5);
  const moved = (by: number) => valueAt(cell.map((value, at) => value + by * (direction[at] as number)));
  const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
  expect(Math.abs(slope)).toBeGreaterThan(1e-3);
  expect(dot(gradient, direction)).toBeCloseTo(slope, 6);
});

test('learning a batch over and over lowers its error, the same seed by the same path', () => {
  const stepWeights = new Float32Array(shape.horizons.length).fill(1);
  const learn = (seed: number) => {
    const network = createPlainLstm({ seed, stepWeights });
    return Array.from({ length: 10 }, () => network.learn(batch, targets, 0.01));
  };
  const losses = learn(1);
  expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
  expect(learn(1)).toEqual(losses);
  expect(learn(2)).not.toEqual(losses);
}, 180_000);
