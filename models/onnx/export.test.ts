import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { encode } from '../forecast/features.js';
import { QUANTILES } from '../forecast/horizons.js';
import { initialLinear, LAYER_SIZES, LSTM_UNITS, type NetworkWeights, STEPS } from '../forecast/network.js';
import { createSource, drawSamples, windowAt } from '../forecast/samples.js';
import { loadBackend } from '../forecast/train/backend.js';
import { createNetwork } from '../forecast/train/layers.js';
import { createHouseholds } from '../synthetic.js';
import { exportOnnx } from './export.js';
import { openNetwork, type Precision } from './session.js';

const SEED = 5;
const random = seededRandom(SEED);

/** As large as trained ones, and nowhere zero, so that a gate in the wrong place shows. */
function randomWeights(): NetworkWeights {
  const array = (length: number, size: number) => Float32Array.from({ length }, () => (random() * 2 - 1) * size);
  const layer = ([inputs, outputs]: readonly [number, number]) => ({
    kernel: array(inputs * outputs, 1 / Math.sqrt(inputs)),
    bias: array(outputs, 0.3),
  });
  const linear = initialLinear();
  return {
    linear: { ...linear, bias: array(STEPS, 0.1) },
    lstm: { ...layer(LAYER_SIZES.lstm), recurrent: array(LSTM_UNITS * 4 * LSTM_UNITS, 0.4) },
    dense: layer(LAYER_SIZES.dense),
    head: layer(LAYER_SIZES.head),
  };
}

const weights = randomWeights();
const sources = createHouseholds({ meters: 12, days: 3, seed: SEED }).map(createSource);
const windows = drawSamples(sources, 128, random).map(({ source, origin }, row) => {
  const window = windowAt({ series: source.series, origin });
  // Every fourth one has lost half a day, so that the mask says something.
  return row % 4 === 0
    ? { ...window, values: window.values.map((watts, slot) => (slot < 144 ? Number.NaN : watts)) }
    : window;
});
const encoded = encode(windows);

async function differences(precision: Precision): Promise<{ worst: number; mean: number; answers: Float32Array }> {
  const network = createNetwork(await loadBackend(), { weights });
  const trained = network.predict(encoded);
  network.dispose();
  const exported = await openNetwork(exportOnnx(weights, precision));
  const answers = await exported.run(encoded);
  await exported.close();
  expect(answers.length).toBe(trained.length);
  let worst = 0;
  let sum = 0;
  for (const [index, value] of trained.entries()) {
    const difference = Math.abs(value - (answers[index] as number)) / Math.max(1, Math.abs(value));
    worst = Math.max(worst, difference);
    sum += difference;
  }
  return { worst, mean: sum / trained.length, answers };
}

test('the float32 export answers as the training framework does', async () => {
  const { worst } = await differences('float32');
  expect(worst).toBeLessThan(1e-4);
});

test('the int8 export stays within two per cent of it', async () => {
  const { worst, mean } = await differences('int8');
  expect(mean).toBeLessThan(0.003);
  expect(worst).toBeLessThan(0.02);
});

test('quantiles never cross', async () => {
  for (const precision of ['float32', 'int8'] as const) {
    const { answers } = await differences(precision);
    for (let low = 0; low < answers.length; low += QUANTILES.length) {
      const [five, median, ninetyFive] = answers.subarray(low, low + QUANTILES.length);
      expect(five).toBeLessThanOrEqual(median ?? Number.NaN);
      expect(median).toBeLessThanOrEqual(ninetyFive ?? Number.NaN);
    }
  }
});

test('int8 is smaller, and the same weights give the same bytes', () => {
  expect(exportOnnx(weights, 'int8').length).toBeLessThan(exportOnnx(weights, 'float32').length);
  expect(exportOnnx(weights, 'int8')).toEqual(exportOnnx(weights, 'int8'));
});

test('bytes that are no model are refused by name', async () => {
  await expect(openNetwork(new Uint8Array(64))).rejects.toMatchObject({ code: 'bundle.unreadable' });
  const cut = exportOnnx(weights, 'int8').slice(0, 9_000);
  await expect(openNetwork(cut)).rejects.toMatchObject({ code: 'bundle.unreadable' });
});
