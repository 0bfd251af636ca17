import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { createEncoder } from '../forecast/features.js';
import { horizonsFor } from '../forecast/horizons.js';
import { mapWeights, type NetworkWeights, sizeOf } from '../forecast/network.js';
import { createSource, drawSamples, trainingHistory } from '../forecast/samples.js';
import { exportOnnx, storedWeights } from '../onnx/export.js';
import { weightsOf } from '../onnx/import.js';
import { openOnnxNetwork } from '../onnx/session.js';
import { resample } from '../resample.js';
import { createHouseholds } from '../synthetic.js';
import { createEngine } from './engine.js';

const SEED = 5;

function randomWeights(steps: number): NetworkWeights {
  const random = seededRandom(SEED);
  const weights = mapWeights(steps, (_, dims) => {
    const limit = dims.length === 1 ? 0.3 : 1.2 / Math.sqrt(dims[0] ?? 1);
    return Float32Array.from({ length: sizeOf(dims) }, () => (random() * 2 - 1) * limit);
  });
  return storedWeights(weights);
}

function prepare(slotMinutes: number, count = 70) {
  const shape = { slotMinutes, horizons: horizonsFor(slotMinutes) };
  const homes = createHouseholds({ meters: 12, days: slotMinutes === 5 ? 9 : 20, seed: SEED });
  const sources = homes.map((series) => createSource(resample(series, 5, slotMinutes), shape));
  const random = seededRandom(SEED);
  const histories = drawSamples(sources, count, random).map((sample) => trainingHistory(sample, random));
  return { shape, histories, encoder: createEncoder(shape), weights: randomWeights(shape.horizons.length) };
}

test.each([5, 10, 15, 30, 60])('answers as ONNX Runtime does, at slots of %i minutes', async (slotMinutes) => {
  const { shape, encoder, histories, weights } = prepare(slotMinutes);
  const encoded = encoder.encode(histories);
  const runtime = await openOnnxNetwork(exportOnnx(weights, shape, 'float32'), shape);
  const expected = await runtime.run(encoded);
  await runtime.close();
  const answers = await createEngine(weights, shape).run(encoded);
  expect(answers.length).toBe(expected.length);
  let worst = 0;
  for (const [at, value] of expected.entries()) {
    worst = Math.max(worst, Math.abs(value - (answers[at] as number)) / Math.max(1, Math.abs(value)));
  }
  console.log(slotMinutes, worst);
  expect(worst).toBeLessThan(2e-3);
});

test.each(['int8', 'float32'] as const)('the weights of an exported %s model come back', (precision) => {
  const { shape, weights } = prepare(5, 1);
  const exported = exportOnnx(weights, shape, precision);
  const read = weightsOf(exported, shape);
  const loose = precision === 'int8' ? 0.02 : 1e-3;
  for (const [name, values] of Object.entries(weights)) {
    const back = read?.[name as keyof NetworkWeights] ?? new Float32Array();
    expect(back.length, name).toBe(values.length);
    const tolerance = name === 'lstm' || name === 'recurrent' ? loose : 1e-6;
    for (const [at, value] of values.entries())
      expect(Math.abs(value - (back[at] as number)), name).toBeLessThan(tolerance);
  }
});
