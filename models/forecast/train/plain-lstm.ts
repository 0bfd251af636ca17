import type { Tensor2D } from '@tensorflow/tfjs-core';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { CONTEXT_SIZE, type Encoded } from '../features.js';
import type { Targets } from '../samples.js';
import type { Backend } from './backend.js';

const UNITS = 32;
/** Power, sine and cosine of the time of day, day of rest. */
const INPUTS = 4;

/**
 * The usual LSTM over 288 single steps, as most descriptions of load forecasting have it: a yardstick, served nowhere.
 */
export interface PlainLstm {
  /** One step of gradient descent on the absolute error; the error before it. */
  learn(batch: Encoded, targets: Targets): number;
  /** Normalised medians, [rows, steps]. */
  predict(batch: Encoded): Float32Array;
  dispose(): void;
}

export function createPlainLstm({ tf, layers }: Backend, { steps, seed }: { steps: number; seed: number }): PlainLstm {
  const random = (salt: number) => layers.initializers.glorotUniform({ seed: seed * 10 + salt });
  const model = layers.sequential({
    layers: [
      layers.layers.lstm({
        units: UNITS,
        inputShape: [WINDOW_SLOTS, INPUTS],
        recurrentActivation: 'sigmoid',
        kernelInitializer: random(1),
        recurrentInitializer: random(2),
      }),
      layers.layers.dense({ units: steps, kernelInitializer: random(3) }),
    ],
  });
  const optimizer = tf.train.adam(0.002);

  function forward({ rows, window, context }: Encoded): Tensor2D {
    const inputs = new Float32Array(rows * WINDOW_SLOTS * INPUTS);
    for (let row = 0; row < rows; row++) {
      for (let slot = 0; slot < WINDOW_SLOTS; slot++) {
        const at = (row * WINDOW_SLOTS + slot) * INPUTS;
        inputs[at] = window[row * WINDOW_SLOTS + slot] as number;
        // The calendar of the window's end stands at every step: the network counts back from it.
        inputs[at + 1] = context[row * CONTEXT_SIZE] as number;
        inputs[at + 2] = context[row * CONTEXT_SIZE + 1] as number;
        inputs[at + 3] = context[row * CONTEXT_SIZE + 6] as number;
      }
    }
    return model.apply(tf.tensor3d(inputs, [rows, WINDOW_SLOTS, INPUTS])) as Tensor2D;
  }

  return {
    learn(batch, targets) {
      return tf.tidy(() => {
        const loss = optimizer.minimize(() => {
          const shape: [number, number] = [batch.rows, steps];
          const error = tf.abs(tf.sub(tf.tensor2d(targets.values, shape), forward(batch)));
          return tf.mean(tf.mul(error, tf.tensor2d(targets.weights, shape)));
        }, true);
        return loss?.dataSync()[0] ?? Number.NaN;
      });
    },
    predict: (batch) => tf.tidy(() => Float32Array.from(forward(batch).dataSync())),
    dispose() {
      optimizer.dispose();
      model.dispose();
    },
  };
}
