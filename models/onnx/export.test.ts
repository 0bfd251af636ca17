import { expect, test } from 'vitest';
import { horizonsFor, QUANTILES } from '../forecast/horizons.js';
import { prepare } from '../forecast/network.fixture.js';
import type { Precision } from '../forecast/network.js';
import { loadBackend } from '../forecast/train/backend.js';
import { createNetwork } from '../forecast/train/layers.js';
import { exportOnnx } from './export.js';
import { openOnnxNetwork } from './session.js';

async function differences(slotMinutes: number, precision: Precision) {
  const { shape, encoded, weights } = prepare(slotMinutes);
  const stepWeights = new Float32Array(shape.horizons.length).fill(1);
  const network = createNetwork(await loadBackend(), { shape, weights, stepWeights });
  const trained = network.predict(encoded);
  network.dispose();
  const exported = await openOnnxNetwork(exportOnnx(weights, shape, precision), shape);
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
  return { worst, mean: sum / trained.length, answers, shape, rows: encoded.rows };
}

test.each([5, 30])(
  'the float32 export answers as the training framework does, at slots of %i minutes',
  async (width) => {
    expect((await differences(width, 'float32')).worst).toBeLessThan(1e-4);
  },
);

test.each([5, 30])('the int8 export stays within two per cent of it, at slots of %i minutes', async (width) => {
  const { worst, mean } = await differences(width, 'int8');
  expect(mean).toBeLessThan(0.004);
  expect(worst).toBeLessThan(0.02);
});

test('quantiles never cross', async () => {
  for (const precision of ['float32', 'int8'] as const) {
    const { answers, shape, rows } = await differences(5, precision);
    const steps = shape.horizons.length;
    for (let at = 0; at < rows * steps; at++) {
      const first = Math.floor(at / steps) * steps * QUANTILES.length + (at % steps);
      const quantiles = QUANTILES.map((_, quantile) => answers[first + quantile * steps] as number);
      expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
    }
  }
});

test('however wide a band becomes, it is finite', async () => {
  const { shape, encoded, weights } = prepare(5);
  const wild = { ...weights, incrementsBias: weights.incrementsBias.map(() => 1_000) };
  const network = await openOnnxNetwork(exportOnnx(wild, shape, 'int8'), shape);
  const answers = await network.run(encoded);
  await network.close();
  expect(answers.every(Number.isFinite)).toBe(true);
  expect(Math.max(...answers)).toBeGreaterThan(79);
});

test('int8 is smaller, and the same weights give the same bytes', () => {
  const { shape, weights } = prepare(5);
  const [int8, float32] = [exportOnnx(weights, shape, 'int8'), exportOnnx(weights, shape, 'float32')];
  expect(int8.length).toBeLessThan(float32.length);
  expect(exportOnnx(weights, shape, 'int8')).toEqual(int8);
});

test('bytes that are no model, and a model for other slots, are refused by name', async () => {
  const { shape, weights } = prepare(5);
  await expect(openOnnxNetwork(new Uint8Array(64), shape)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  const whole = exportOnnx(weights, shape, 'int8');
  await expect(openOnnxNetwork(whole.slice(0, 9_000), shape)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  await expect(openOnnxNetwork(whole, { slotMinutes: 30, horizons: horizonsFor(30) })).rejects.toMatchObject({
    code: 'bundle.unreadable',
    message: expect.stringContaining('no input “seasons” of float32 [meters, 4, 48]'),
  });
});
