import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { ANALOGS } from '../forecast/analogs.js';
import { CONTEXT_SIZE, createEncoder, PATCHES, SEASONS } from '../forecast/features.js';
import { horizonsFor, QUANTILES } from '../forecast/horizons.js';
import { prepare, SEED, untrained } from '../forecast/network.fixture.js';
import type { NetworkWeights } from '../forecast/network.js';
import { exportOnnx } from '../onnx/export.js';
import { weightsOf } from '../onnx/import.js';
import { openOnnxNetwork } from '../onnx/session.js';
import { createEngine } from './engine.js';

test.each([5, 10, 15, 30, 60])('answers as ONNX Runtime does, at slots of %i minutes', async (slotMinutes) => {
  const { shape, encoded, weights } = prepare(slotMinutes);
  const runtime = await openOnnxNetwork(exportOnnx(weights, shape, 'float32'), shape);
  const expected = await runtime.run(encoded);
  await runtime.close();
  const answers = await createEngine(weights, shape).run(encoded);
  expect(answers.length).toBe(expected.length);
  let worst = 0;
  for (const [at, value] of expected.entries()) {
    worst = Math.max(worst, Math.abs(value - (answers[at] as number)) / Math.max(1, Math.abs(value)));
  }
  expect(worst).toBeLessThan(2e-4);
});

test('a meter is answered the same, to the last bit, whoever stands beside it and however many they are', async () => {
  const { shape, encoder, encoded, histories, weights } = prepare(5, 70);
  const engine = createEngine(weights, shape);
  const size = shape.horizons.length * QUANTILES.length;
  const together = Float32Array.from(await engine.run(encoded));
  for (const [at, history] of histories.entries()) {
    const alone = await engine.run(encoder.encode([history]));
    expect(alone.subarray(0, size), `history ${at}`).toEqual(together.subarray(at * size, (at + 1) * size));
  }
  const some = await engine.run(encoder.encode(histories.slice(3, 40)));
  expect(some.subarray(0, 37 * size)).toEqual(together.subarray(3 * size, 40 * size));
});

test('what stands in its own room is answered as what is copied there', async () => {
  // Of an hour each: 24 steps are whole fours. Of the other, one is left over.
  for (const left of [0, 1]) {
    const { histories } = prepare(60, 20);
    const shape = { slotMinutes: 60, horizons: horizonsFor(60).slice(left) };
    const weights = untrained(shape.horizons.length);
    const engine = createEngine(weights, shape);
    const encoder = createEncoder(shape);
    const size = shape.horizons.length * QUANTILES.length;
    const copied = Float32Array.from(await engine.run(encoder.encode(histories)));
    const { room } = engine;
    if (room === undefined) throw new Error('an engine has a room');
    expect(encoder.encodeInto(room, histories, 0)).toBe(20);
    expect((await engine.run(room, 20)).subarray(0, 20 * size)).toEqual(copied.subarray(0, 20 * size));
  }
});

test('every processor gives these bits', async () => {
  const { shape, weights } = prepare(5, 1);
  const random = seededRandom(SEED);
  const rows = 9;
  // Of sums alone, so that nothing but the engine can differ.
  const noise = (size: number) => Float32Array.from({ length: rows * size }, () => random() * 4 - 2);
  const steps = shape.horizons.length;
  const answers = await createEngine(weights, shape).run({
    rows,
    window: noise(WINDOW_SLOTS),
    measured: noise(PATCHES).map(Math.abs),
    seasons: noise(SEASONS * steps),
    spread: noise(steps).map(Math.abs),
    analogs: noise(ANALOGS),
    context: noise(CONTEXT_SIZE),
    centreW: new Float64Array(rows),
    scaleW: new Float64Array(rows),
    neverNegative: new Uint8Array(rows),
  });
  const bits = new Uint8Array(answers.buffer, 0, rows * steps * QUANTILES.length * 4);
  expect(createHash('sha256').update(bits).digest('hex')).toBe(
    '404a7e902d7e3edc4a00d8c552583c165a56bdc72ab8bd04895106f30a880347',
  );
});

test('nothing that a window can hold makes an answer that is not finite', async () => {
  const { shape, encoded, weights } = prepare(5, 8);
  const engine = createEngine(weights, shape);
  // A normalised slot is never further out than there are slots.
  for (const wild of [1e6, -1e6, 1e-40, 0]) {
    const answers = await engine.run({ ...encoded, window: encoded.window.map(() => wild) });
    expect(answers.every(Number.isFinite), `${wild}`).toBe(true);
  }
  const wide = { ...weights, incrementsBias: weights.incrementsBias.map(() => 1_000) };
  const answers = await createEngine(wide, shape).run(encoded);
  expect(answers.every(Number.isFinite)).toBe(true);
  expect(Math.max(...answers)).toBeGreaterThan(79);
});

test.each(['int8', 'float32'] as const)('the weights of an exported %s model come back', (precision) => {
  const { shape, weights } = prepare(5, 1);
  const exported = exportOnnx(weights, shape, precision);
  const read = weightsOf(exported, shape);
  expect(weightsOf(Buffer.from(exported), shape)).toEqual(read);
  const loose = precision === 'int8' ? 0.02 : 1e-3;
  for (const [name, values] of Object.entries(weights)) {
    const back = read?.[name as keyof NetworkWeights] ?? new Float32Array();
    expect(back.length, name).toBe(values.length);
    const tolerance = name === 'lstm' || name === 'recurrent' ? loose : 1e-6;
    for (const [at, value] of values.entries())
      expect(Math.abs(value - (back[at] as number)), name).toBeLessThan(tolerance);
  }
});

test('a model that computes anything else is not taken for ours', () => {
  const { shape, weights } = prepare(5, 1);
  const exported = exportOnnx(weights, shape, 'int8');
  expect(weightsOf(exported, { slotMinutes: 10, horizons: horizonsFor(10) })).toBeUndefined();
  expect(weightsOf(exported.subarray(1), shape)).toBeUndefined();
  expect(weightsOf(new Uint8Array(0), shape)).toBeUndefined();
  const at = Buffer.from(exported).indexOf('Sigmoid');
  const other = Uint8Array.from(exported);
  other.set(new TextEncoder().encode('Softmax'), at);
  expect(weightsOf(other, shape)).toBeUndefined();
});
