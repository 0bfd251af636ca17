import type { Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { ANALOGS } from '../analogs.js';
import { CONTEXT_SIZE, type Encoded, PATCH_SLOTS, PATCHES, SEASONS } from '../features.js';
import { MEDIAN, QUANTILES } from '../horizons.js';
import {
  aroundYesterday,
  BLENDED,
  BLENDS,
  COMPRESSION,
  DAY_PARTS,
  dayPartMatrix,
  INCREMENT_START,
  INCREMENTS,
  mapWeights,
  NEAR_STEPS,
  NEWEST_SLOTS,
  type NetworkWeights,
  PATCH_SIZE,
  type WeightName,
  weightShapes,
} from '../network.js';
import type { Targets } from '../samples.js';
import type { ForecastShape } from '../series-history.js';
import type { Backend } from './backend.js';
import { createLstm, createMultiply } from './lstm.js';

export interface Network {
  /** The mean pinball loss of a batch and where it falls, by weight. */
  gradients(batch: Encoded, targets: Targets): { readonly loss: number; readonly gradients: NetworkWeights };
  loss(batch: Encoded, targets: Targets): number;
  /** Normalised quantiles, [rows, QUANTILES, steps], as the exported graph gives them. */
  predict(batch: Encoded): Float32Array;
  /** What the linear path sees, [rows, LINEAR_SIZE]. */
  linearInputs(batch: Encoded): Float32Array;
  assign(weights: NetworkWeights): void;
  /** Frees the memory of the backend, which no collector sees. */
  dispose(): void;
}

export interface NetworkOptions {
  readonly shape: ForecastShape;
  readonly weights: NetworkWeights;
  /** How much each step counts, summing to the number of steps. */
  readonly stepWeights: Float32Array;
}

/** Among the quantiles; what people read first, and what is scored, is the middle. */
const MEDIAN_WEIGHT = 4;

/** The network of ../network.ts in TensorFlow.js, with its gradient. */
export function createNetwork(backend: Backend, { shape, weights, stepWeights }: NetworkOptions): Network {
  const { tf } = backend;
  const lastState = createLstm(backend);
  const multiply = createMultiply(backend);
  const steps = shape.horizons.length;
  const shapes = weightShapes(steps);
  const names = Object.keys(shapes) as WeightName[];
  const variables = Object.fromEntries(
    names.map((name) => [name, tf.variable(tf.tensor(weights[name], [...shapes[name]]), true)]),
  ) as Record<WeightName, Variable>;
  const dayParts = tf.tensor2d(dayPartMatrix(shape.horizons), [steps, DAY_PARTS]);
  const perStep = tf.tensor2d(stepWeights, [1, steps]);

  const compress = (x: Tensor): Tensor => tf.div(x, tf.add(tf.div(tf.abs(x), COMPRESSION), 1));
  const silu = (x: Tensor): Tensor => tf.mul(x, tf.sigmoid(x));
  const gemm = (x: Tensor, kernel: WeightName, bias: WeightName): Tensor2D =>
    tf.add(multiply(x as Tensor2D, variables[kernel] as unknown as Tensor2D), variables[bias]);

  function inputsOf({ rows, window, measured, seasons, spread, analogs, context }: Encoded) {
    return {
      rows,
      window: tf.tensor2d(window, [rows, PATCHES * PATCH_SLOTS]),
      measured: tf.tensor3d(measured, [rows, PATCHES, 1]),
      seasons: tf.tensor3d(seasons, [rows, SEASONS, steps]),
      spread: tf.tensor2d(spread, [rows, steps]),
      analogs: tf.tensor2d(analogs, [rows, ANALOGS]),
      context: tf.tensor2d(context, [rows, CONTEXT_SIZE]),
    };
  }
  type Inputs = ReturnType<typeof inputsOf>;

  const near = ({ seasons, rows }: Inputs): Tensor =>
    tf.reshape(tf.slice(seasons, [0, 0, 0], [-1, -1, NEAR_STEPS]), [rows, SEASONS * NEAR_STEPS]);

  function linearMix(inputs: Inputs): Tensor {
    const { rows, window } = inputs;
    const newest = tf.slice(window, [0, (PATCHES - 1) * PATCH_SLOTS], [-1, PATCH_SLOTS]);
    const yesterday = tf.slice(window, [0, aroundYesterday(shape.slotMinutes)[0]], [-1, PATCH_SLOTS]);
    const means = tf.mean(tf.reshape(window, [rows, PATCHES, PATCH_SLOTS]), 2);
    return tf.concat([newest, yesterday, means, near(inputs), inputs.analogs], 1);
  }

  function lstm({ rows, measured }: Inputs, compressed: Tensor): Tensor {
    const patches = tf.concat([tf.reshape(compressed, [rows, PATCHES, PATCH_SLOTS]), measured], 2);
    const kernel = tf.concat(
      [variables.lstm, tf.expandDims(variables.lstmBias, 0), variables.recurrent],
      0,
    ) as Tensor2D;
    return tf.transpose(lastState(tf.transpose(tf.reshape(patches, [rows, PATCHES * PATCH_SIZE]) as Tensor2D), kernel));
  }

  function hidden(inputs: Inputs): Tensor {
    const { rows, window, spread, context } = inputs;
    const compressed = compress(window);
    const newest = tf.slice(compressed, [0, PATCHES * PATCH_SLOTS - NEWEST_SLOTS], [-1, NEWEST_SLOTS]);
    const seasons = compress(inputs.seasons);
    const parts = tf.matMul(tf.reshape(seasons, [rows * SEASONS, steps]) as Tensor2D, dayParts);
    const inputsOfDense = [
      context,
      newest,
      lstm(inputs, compressed),
      near({ ...inputs, seasons: seasons as Inputs['seasons'] }),
      tf.reshape(parts, [rows, SEASONS * DAY_PARTS]),
      tf.matMul(spread, dayParts),
      compress(inputs.analogs),
    ];
    return silu(gemm(tf.concat(inputsOfDense as Tensor2D[], 1), 'dense', 'denseBias'));
  }

  /** What each step makes of its own seasons, [rows, steps]. */
  function blended({ rows, seasons, spread }: Inputs, layer: Tensor): Tensor {
    const own = tf.concat([compress(seasons), compress(tf.expandDims(spread, 1))], 1);
    const perStep = tf.reshape(tf.transpose(own, [0, 2, 1]), [rows * steps, BLENDED]) as Tensor2D;
    const product = (x: Tensor2D, kernel: WeightName) => multiply(x, variables[kernel] as unknown as Tensor2D);
    const fromSeasons = tf.reshape(product(perStep, 'blend'), [rows, steps, BLENDS]);
    const fromHidden = tf.expandDims(product(layer as Tensor2D, 'blendHidden'), 1);
    const blend = silu(tf.add(tf.add(fromSeasons, fromHidden), variables.blendBias));
    // Not as a product of matrices: with a single column the WASM backend gives wrong gradients.
    return tf.sum(tf.mul(blend, variables.mixed), 2);
  }

  /** One tensor [rows, steps] for each quantile. */
  function forward(inputs: Inputs): Tensor[] {
    const { seasons } = inputs;
    const seasonal = tf.sum(tf.mul(seasons, tf.expandDims(variables.seasons, 0)), 1);
    const linear = tf.add(gemm(linearMix(inputs), 'linear', 'linearBias'), seasonal);
    const layer = hidden(inputs);
    const corrected = tf.add(linear, gemm(layer, 'correct', 'correctBias'));
    const median: Tensor = tf.add(corrected, blended(inputs, layer));
    const raw = gemm(gemm(layer, 'narrow', 'narrowBias'), 'increments', 'incrementsBias');
    const widths = tf.softplus(tf.add(raw, INCREMENT_START));
    const column = (index: number) => tf.slice(widths, [0, index * steps], [-1, steps]);
    const half = INCREMENTS / 2;
    const below: Tensor[] = [];
    const above: Tensor[] = [];
    for (let index = 0; index < half; index++) {
      below.unshift(tf.sub(below[0] ?? median, column(index)));
      above.push(tf.add(above.at(-1) ?? median, column(half + index)));
    }
    return [...below, median, ...above];
  }

  function pinball(batch: Encoded, targets: Targets): Scalar {
    const actual = tf.tensor2d(targets.values, [batch.rows, steps]);
    const weight = tf.mul(tf.tensor2d(targets.weights, [batch.rows, steps]), perStep);
    const losses = forward(inputsOf(batch)).map((forecast, index) => {
      const quantile = QUANTILES[index] ?? 0.5;
      const error = tf.sub(actual, forecast);
      const loss = tf.sum(tf.mul(tf.maximum(tf.mul(error, quantile), tf.mul(error, quantile - 1)), weight));
      return index === MEDIAN ? tf.mul(loss, MEDIAN_WEIGHT) : loss;
    });
    const known = targets.weights.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
    return tf.div(tf.addN(losses), Math.max(known, 1) * (QUANTILES.length - 1 + MEDIAN_WEIGHT));
  }

  /** Read outside of the tidying, which would walk through every number in search of tensors. */
  function valuesOf(make: () => Tensor): Float32Array {
    const tensor = tf.tidy(make);
    const values = Float32Array.from(tensor.dataSync());
    tensor.dispose();
    return values;
  }

  return {
    gradients(batch, targets) {
      const { value, grads } = tf.variableGrads(() => pinball(batch, targets), Object.values(variables));
      const loss = value.dataSync()[0] ?? Number.NaN;
      const byId = new Map(names.map((name) => [name, grads[variables[name].name]]));
      const gradients = mapWeights(steps, (name) => Float32Array.from(byId.get(name)?.dataSync() ?? []));
      tf.dispose([value, grads]);
      return { loss, gradients };
    },
    loss: (batch, targets) => tf.tidy(() => pinball(batch, targets).dataSync()[0] ?? Number.NaN),
    predict: (batch) => valuesOf(() => tf.concat(forward(inputsOf(batch)) as Tensor2D[], 1)),
    linearInputs: (batch) => valuesOf(() => linearMix(inputsOf(batch))),
    assign(next) {
      for (const name of names) {
        const tensor = tf.tensor(next[name], [...shapes[name]]);
        variables[name].assign(tensor);
        tensor.dispose();
      }
    },
    dispose() {
      tf.dispose([dayParts, perStep]);
      for (const name of names) variables[name].dispose();
    },
  };
}
