import { expect, test } from 'vitest';
import { createEngine } from '../engine/engine.js';
import { QUANTILES } from '../forecast/horizons.js';
import { prepare } from '../forecast/network.fixture.js';
import { predictWith } from '../forecaster.js';
import { confirmed } from './confirmed.js';
import { exportOnnx } from './export.js';

test('ONNX Runtime confirms what the engine answers from the same file, and refuses what it answers from another', async () => {
  const { shape, weights, histories } = prepare(5, 6);
  const factors = new Float32Array(shape.horizons.length * QUANTILES.length).fill(1);
  const serving = { shape, calibration: { factors } };
  const rows = await predictWith(createEngine(weights, shape), serving)(histories);
  const cases = rows.map(({ watts }, index) => ({
    history: histories[index] as (typeof histories)[number],
    int8: watts,
    float32: watts,
  }));
  const bundle = { version: 'test-1', golden: { cases } };
  const files = (exported: typeof weights) => ({
    int8: exportOnnx(exported, shape, 'int8'),
    float32: exportOnnx(exported, shape, 'float32'),
  });
  expect(await confirmed(bundle, files(weights), serving)).toBe(bundle.golden);
  const others = { ...weights, linear: weights.linear.map((weight) => weight * 1.1) };
  await expect(confirmed(bundle, files(others), serving)).rejects.toMatchObject({ code: 'bundle.golden_mismatch' });
});
