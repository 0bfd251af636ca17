import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { CALENDAR_SIZE } from '../../window/calendar.js';
import type { Encoded } from '../features.js';
import { QUANTILES } from '../horizons.js';
import {
  DENSE_UNITS,
  HEAD_SIZE,
  initialLinear,
  LAYER_SIZES,
  LINEAR_SIZE,
  LSTM_UNITS,
  type NetworkWeights,
  PATCH_SIZE,
  PATCHES,
  type Pooled,
  pool,
  STEPS,
} from '../network.js';
import type { Targets } from '../samples.js';
import type { Backend } from './backend.js';

export interface Network {
  /** One step of gradient descent; the mean pinball loss before it. */
  learn(batch: Pooled, targets: Targets, learningRate: number): number;
  /** Normalised quantiles, [rows, STEPS, QUANTILES], as the exported graph gives them. */
  predict(encoded: Encoded): Float32Array;
  weights(): NetworkWeights;
  /** Frees the memory of the backend, which no collector sees. */
  dispose(): void;
}

/** Built with seeded random weights, or with given ones. */
export function createNetwork({ tf, layers }: Backend, from: { seed: number } | { weights: NetworkWeights }): Network {
  const seed = 'seed' in from ? from.seed : 0;
  const random = (salt: number) => layers.initializers.glorotUniform({ seed: seed * 10 + salt });
  const patches = layers.input({ shape: [PATCHES, PATCH_SIZE] });
  const mix = layers.input({ shape: [LINEAR_SIZE] });
  const calendar = layers.input({ shape: [CALENDAR_SIZE] });
  const lstm = layers.layers.lstm({
    units: LSTM_UNITS,
    // ONNX knows no hard sigmoid with TensorFlow's constants.
    recurrentActivation: 'sigmoid',
    kernelInitializer: random(1),
    recurrentInitializer: random(2),
  });
  const linear = layers.layers.dense({ units: STEPS });
  const dense = layers.layers.dense({ units: DENSE_UNITS, activation: 'tanh', kernelInitializer: random(3) });
  const head = layers.layers.dense({ units: HEAD_SIZE, kernelInitializer: 'zeros' });
  const state = layers.layers.concatenate().apply([lstm.apply(patches), calendar] as never) as never;
  const model = layers.model({
    inputs: [patches, mix, calendar],
    outputs: [linear.apply(mix) as never, head.apply(dense.apply(state)) as never],
  });
  const tensor = (data: Float32Array, [rows, columns]: readonly [number, number]) => tf.tensor2d(data, [rows, columns]);
  const setLayer = (layer: typeof linear, arrays: readonly Tensor[]) => {
    layer.setWeights([...arrays]);
    for (const array of arrays) array.dispose();
  };
  const start = 'weights' in from ? from.weights : { linear: initialLinear() };
  setLayer(linear, [tensor(start.linear.kernel, LAYER_SIZES.linear), tf.tensor1d(start.linear.bias)]);
  if ('weights' in from) {
    const given = from.weights;
    setLayer(lstm as never, [
      tensor(given.lstm.kernel, LAYER_SIZES.lstm),
      tensor(given.lstm.recurrent, [LSTM_UNITS, 4 * LSTM_UNITS]),
      tf.tensor1d(given.lstm.bias),
    ]);
    setLayer(dense, [tensor(given.dense.kernel, LAYER_SIZES.dense), tf.tensor1d(given.dense.bias)]);
    setLayer(head, [tensor(given.head.kernel, LAYER_SIZES.head), tf.tensor1d(given.head.bias)]);
  }
  const optimizer = tf.train.adam();

  function forward(batch: Pooled): readonly [low: Tensor, median: Tensor, high: Tensor] {
    const rows = batch.linear.length / LINEAR_SIZE;
    const [base, correction] = model.apply([
      tf.tensor3d(batch.patches, [rows, PATCHES, PATCH_SIZE]),
      tf.tensor2d(batch.linear, [rows, LINEAR_SIZE]),
      tf.tensor2d(batch.calendar, [rows, CALENDAR_SIZE]),
    ]) as [Tensor2D, Tensor2D];
    const part = (index: number) => tf.slice(correction, [0, index * STEPS], [-1, STEPS]);
    const median = tf.add(base, part(0));
    return [tf.sub(median, tf.softplus(part(1))), median, tf.add(median, tf.softplus(part(2)))];
  }

  function pinball(batch: Pooled, targets: Targets): Scalar {
    const shape: [number, number] = [targets.values.length / STEPS, STEPS];
    const actual = tf.tensor2d(targets.values, shape);
    const known = tf.tensor2d(targets.known, shape);
    const losses = forward(batch).map((forecast, index) => {
      const quantile = QUANTILES[index] ?? 0.5;
      const error = tf.mul(tf.sub(actual, forecast), known);
      return tf.sum(tf.maximum(tf.mul(error, quantile), tf.mul(error, quantile - 1)));
    });
    return tf.div(tf.addN(losses), tf.maximum(tf.sum(known), 1));
  }

  function read(layer: { getWeights(): Tensor[] }): Float32Array[] {
    return layer.getWeights().map((weight) => Float32Array.from(weight.dataSync()));
  }

  return {
    learn(batch, targets, learningRate) {
      // The type hides it, but the optimiser reads its rate at every step.
      (optimizer as unknown as { learningRate: number }).learningRate = learningRate;
      return tf.tidy(() => optimizer.minimize(() => pinball(batch, targets), true)?.dataSync()[0] ?? 0);
    },
    predict(encoded) {
      return tf.tidy(() => Float32Array.from(tf.stack([...forward(pool(encoded))], 2).dataSync()));
    },
    weights() {
      const [linearKernel, linearBias] = read(linear);
      const [lstmKernel, recurrent, lstmBias] = read(lstm);
      const [denseKernel, denseBias] = read(dense);
      const [headKernel, headBias] = read(head);
      return {
        linear: layer(linearKernel, linearBias),
        lstm: { ...layer(lstmKernel, lstmBias), recurrent: recurrent ?? new Float32Array() },
        dense: layer(denseKernel, denseBias),
        head: layer(headKernel, headBias),
      };
    },
    dispose() {
      optimizer.dispose();
      model.dispose();
    },
  };
}

const layer = (kernel: Float32Array = new Float32Array(), bias: Float32Array = new Float32Array()) => ({
  kernel,
  bias,
});
