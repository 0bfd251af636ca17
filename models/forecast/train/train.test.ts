import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { createHouseholds } from '../../synthetic.js';
import { encode } from '../features.js';
import { initialLinear, pool } from '../network.js';
import { createSource, drawSamples, targetsOf, windowAt } from '../samples.js';
import { loadBackend } from './backend.js';
import { createNetwork } from './layers.js';
import { trainForecaster } from './train.js';

const homes = createHouseholds({ meters: 3, days: 4, seed: 31 });

test('learning a batch lowers its loss', async () => {
  const samples = drawSamples(homes.map(createSource), 64, seededRandom(4));
  const encoded = encode(samples.map(({ source, origin }) => windowAt({ series: source.series, origin })));
  const network = createNetwork(await loadBackend(), { seed: 4 });
  const losses = Array.from({ length: 25 }, () => network.learn(pool(encoded), targetsOf(samples, encoded), 0.005));
  network.dispose();
  expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
});

test('the same seed gives the same weights, another seed others', async () => {
  const progress: number[] = [];
  const options = {
    series: homes,
    seed: 2,
    epochs: 1,
    onProgress: ({ done }: { done: number }) => progress.push(done),
  };
  const first = await trainForecaster(options);
  expect(progress).toEqual([1]);
  expect(first.weights.linear.kernel).not.toEqual(initialLinear().kernel);
  expect((await trainForecaster(options)).weights).toEqual(first.weights);
  expect((await trainForecaster({ ...options, seed: 3 })).weights).not.toEqual(first.weights);
});

test('two days and five hours of one meter are enough, two days are not', async () => {
  const [home] = homes;
  if (home === undefined) throw new Error('no household');
  const cut = (slots: number) => [{ ...home, powerW: home.powerW.subarray(0, slots) }];
  const { weights } = await trainForecaster({ series: cut(636), seed: 1, epochs: 1 });
  expect(weights.head.kernel.every(Number.isFinite)).toBe(true);
  await expect(trainForecaster({ series: cut(560), seed: 1 })).rejects.toMatchObject({ code: 'model.no_data' });
  await expect(trainForecaster({ series: [], seed: 1 })).rejects.toMatchObject({ code: 'model.no_data' });
});

test('constant, zero and empty series leave finite weights', async () => {
  const flat = homes.map((home, index) => ({
    ...home,
    powerW: home.powerW.map(() => [0, 230, Number.NaN][index] ?? 0),
  }));
  const { weights } = await trainForecaster({ series: flat, seed: 1, epochs: 1 });
  expect(weights.lstm.kernel.every(Number.isFinite)).toBe(true);
});

test('the backend says why it is this one', async () => {
  const { name, reason } = await loadBackend();
  expect(['wasm', 'tfjs-node']).toContain(name);
  expect(reason).not.toBe('');
});
