import { expect, test, vi } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { createHouseholds } from '../../synthetic.js';
import { createEncoder } from '../features.js';
import { HORIZONS } from '../horizons.js';
import { mapWeights, type NetworkWeights, parameterCount } from '../network.js';
import { createSource, drawSamples, targetsOf } from '../samples.js';
import { createAdam } from './adam.js';
import { loadBackend } from './backend.js';
import { initialWeights } from './initial.js';
import { createNetwork } from './layers.js';
import { trainForecaster } from './train.js';

/** A training is seconds of pure arithmetic, and minutes on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000 });

const shape = { slotMinutes: 5, horizons: HORIZONS };
const homes = createHouseholds({ meters: 3, days: 4, seed: 31 });
const sources = homes.map((series) => createSource(series, shape));
const encoder = createEncoder(shape);
const stepWeights = new Float32Array(HORIZONS.length).fill(1);

function batchOf(rows: number) {
  const samples = drawSamples(sources, rows, seededRandom(4));
  const encoded = encoder.encode(samples.map(({ source, origin }) => source.history.at(origin)));
  return { encoded, targets: targetsOf(samples, encoded) };
}

test('learning a batch lowers its loss', async () => {
  const { encoded, targets } = batchOf(64);
  const weights = initialWeights(shape, 4);
  const network = createNetwork(await loadBackend(), { shape, weights, stepWeights });
  const adam = createAdam(HORIZONS.length);
  const losses = Array.from({ length: 25 }, () => {
    const { loss, gradients } = network.gradients(encoded, targets);
    adam.step(weights, gradients, 0.005);
    network.assign(weights);
    return loss;
  });
  network.dispose();
  expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0));
});

test('the gradient by hand is the slope of the loss, for every kind of weight', async () => {
  const { encoded, targets } = batchOf(16);
  const random = seededRandom(8);
  // Nowhere zero, or half of the slopes would be.
  const start = initialWeights(shape, 4);
  const weights = mapWeights(HORIZONS.length, (name) => start[name].map((value) => value + (random() - 0.5) * 0.2));
  const network = createNetwork(await loadBackend(), { shape, weights, stepWeights });
  const { gradients } = network.gradients(encoded, targets);
  for (const name of Object.keys(weights) as (keyof NetworkWeights)[]) {
    // Along the gradient itself the slope is its length: one number that every entry has a part in.
    const gradient = gradients[name];
    const length = Math.hypot(...gradient);
    const moved = (by: number) => {
      const array = weights[name].map((value, index) => value + (by * (gradient[index] as number)) / length);
      network.assign({ ...weights, [name]: array });
      return network.loss(encoded, targets);
    };
    const step = 2e-3;
    const slope = (moved(step) - moved(-step)) / (2 * step);
    expect(length, name).toBeGreaterThan(0);
    expect(Math.abs(slope - length) / length, name).toBeLessThan(0.05);
  }
  network.dispose();
});

test('the same seed gives the same weights, another seed others', async () => {
  const progress: number[] = [];
  const options = {
    series: homes,
    shape,
    seed: 2,
    epochs: 1,
    onProgress: ({ done }: { done: number }) => progress.push(done),
  };
  const first = await trainForecaster(options);
  expect(progress).toEqual([1]);
  expect(parameterCount(first.weights)).toBeLessThan(50_000);
  expect((await trainForecaster(options)).weights).toEqual(first.weights);
  expect((await trainForecaster({ ...options, seed: 3 })).weights).not.toEqual(first.weights);
});

/** A place for progress that has this in it, and what was put there. */
function kept(stored?: Uint8Array) {
  const saved: Uint8Array[] = [];
  const load = async () => stored;
  return {
    saved,
    checkpoints: { name: 'somewhere', load, save: async (bytes: Uint8Array) => saved.push(bytes.slice()) },
  };
}

test('a training that was interrupted ends where an uninterrupted one does', async () => {
  const options = { series: homes, shape, seed: 2, epochs: 2 };
  const { saved, checkpoints } = kept();
  const whole = await trainForecaster({ ...options, checkpoints });
  const rest = kept(saved[0]);
  const resumed = await trainForecaster({ ...options, checkpoints: rest.checkpoints });
  expect(rest.saved).toHaveLength(1);
  expect(resumed.weights).toEqual(whole.weights);
  expect(resumed.curve).toEqual(whole.curve);
});

test('a training does not go on from one of other data of the same shape', async () => {
  const options = { series: homes.slice(0, 1), shape, seed: 2, epochs: 1 };
  const { saved, checkpoints } = kept();
  await trainForecaster({ ...options, checkpoints });
  const inAnotherUnit = options.series.map((home) => ({ ...home, powerW: home.powerW.map((watts) => watts * 1_000) }));
  for (const [other, epochs] of [
    [{}, 0],
    [{ series: inAnotherUnit }, 1],
    [{ seed: 3 }, 1],
  ] as const) {
    const next = kept(saved[0]);
    await trainForecaster({ ...options, ...other, checkpoints: next.checkpoints });
    expect(next.saved).toHaveLength(epochs);
  }
});

test('what no training can have left is an error that names the file and says what to do', async () => {
  const options = { series: homes.slice(0, 1), shape, seed: 2, epochs: 1 };
  const { saved, checkpoints } = kept();
  await trainForecaster({ ...options, checkpoints });
  const whole = saved[0] ?? new Uint8Array();
  const weights = whole.indexOf(10) + 1;
  const damaged: Record<string, Uint8Array> = {
    nothing: new Uint8Array(),
    'no line': new Uint8Array(5_000),
    'no JSON': Buffer.from('{ "purpose": \n'),
    'JSON of something else': Buffer.from('{}\n'),
    'no object': Buffer.from('null\n'),
    'cut short': whole.subarray(0, 5_000),
    'weights of NaN': Uint8Array.from(whole, (byte, at) => (at < weights ? byte : 0xff)),
  };
  for (const [name, bytes] of Object.entries(damaged)) {
    await expect(trainForecaster({ ...options, checkpoints: kept(bytes).checkpoints }), name).rejects.toMatchObject({
      code: 'training.unreadable',
      message: expect.stringMatching(/^somewhere: /),
      action: expect.stringContaining('Delete the file'),
    });
  }
});

test('two days and some hours of one meter are enough, two days are not', async () => {
  const [home] = homes;
  if (home === undefined) throw new Error('no household');
  const cut = (slots: number) => [{ ...home, powerW: home.powerW.subarray(0, slots) }];
  const { weights } = await trainForecaster({ series: cut(680), shape, seed: 1, epochs: 1 });
  expect(weights.correct.every(Number.isFinite)).toBe(true);
  await expect(trainForecaster({ series: cut(560), shape, seed: 1 })).rejects.toMatchObject({ code: 'model.no_data' });
  await expect(trainForecaster({ series: [], shape, seed: 1 })).rejects.toMatchObject({ code: 'model.no_data' });
});

test('constant, zero and empty series leave finite weights', async () => {
  const flat = homes.map((home, index) => ({
    ...home,
    powerW: home.powerW.map(() => [0, 230, Number.NaN][index] ?? 0),
  }));
  const { weights } = await trainForecaster({ series: flat, shape, seed: 1, epochs: 1 });
  for (const array of Object.values(weights)) expect(array.every(Number.isFinite)).toBe(true);
});

test('spans that are marked teach nothing', () => {
  const [home] = homes;
  if (home === undefined) throw new Error('no household');
  const slotMs = 300_000;
  const excludedMs = [[home.startMs + 800 * slotMs, home.startMs + 820 * slotMs]] as const;
  const { origins, history } = createSource({ ...home, excludedMs }, shape);
  expect([...origins].some((origin) => origin >= 800 && origin <= 820)).toBe(false);
  expect(history.known(800, 820)).toBe(0);
  expect(home.powerW.subarray(800, 820).some(Number.isFinite)).toBe(true);
});

test('the backend says why it is this one', async () => {
  const { name, reason } = await loadBackend();
  expect(['wasm', 'tfjs-node']).toContain(name);
  expect(reason).not.toBe('');
});
