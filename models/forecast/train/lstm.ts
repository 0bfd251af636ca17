import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { PATCHES } from '../features.js';
import { LSTM_UNITS, PATCH_SIZE } from '../network.js';
import type { Backend } from './backend.js';

/** What the way back needs of each patch. */
type Step = readonly [
  joined: Tensor2D,
  cellBefore: Tensor2D,
  admit: Tensor2D,
  forget: Tensor2D,
  candidate: Tensor2D,
  show: Tensor2D,
  shown: Tensor2D,
];
const STEP_TENSORS = 7;
const UNITS = LSTM_UNITS;

/**
 * The last state of an LSTM over the patches, [UNITS, rows]. `patches` is [PATCHES × PATCH_SIZE, rows]; `kernel` has the
 * weights of inputs, constant and state below each other, [PATCH_SIZE + 1 + UNITS, 4 × UNITS].
 *
 * Rows stand in columns here, so that a gate is a contiguous piece of memory, and the gradient is by hand: the WASM
 * backend copies any other piece number by number in JavaScript, and multiplies quickly only what is not transposed.
 * Left to the framework, an epoch takes three times as long.
 */
export function createLstm({ tf }: Backend): (patches: Tensor2D, kernel: Tensor2D) => Tensor2D {
  const rowsOf = (x: Tensor2D, from: number, count: number): Tensor2D => tf.slice(x, [from, 0], [count, -1]);
  const oneMinus = (x: Tensor2D): Tensor2D => tf.sub(1, x);
  const times = (...factors: readonly Tensor2D[]): Tensor2D => factors.reduce((product, next) => tf.mul(product, next));

  function run(patches: Tensor2D, kernel: Tensor2D): { state: Tensor2D; steps: Step[] } {
    const columns = patches.shape[1];
    const weights: Tensor2D = tf.transpose(kernel);
    const one: Tensor2D = tf.ones([1, columns]);
    let state: Tensor2D = tf.zeros([UNITS, columns]);
    let cell: Tensor2D = tf.zeros([UNITS, columns]);
    const steps: Step[] = [];
    for (let patch = 0; patch < PATCHES; patch++) {
      const joined: Tensor2D = tf.concat([rowsOf(patches, patch * PATCH_SIZE, PATCH_SIZE), one, state], 0);
      const gates: Tensor2D = tf.matMul(weights, joined);
      const gate = (index: number): Tensor2D => rowsOf(gates, index * UNITS, UNITS);
      const cellBefore = cell;
      const [admit, forget] = [tf.sigmoid(gate(0)), tf.sigmoid(gate(1))];
      const [candidate, show] = [tf.tanh(gate(2)), tf.sigmoid(gate(3))];
      cell = tf.add(tf.mul(forget, cell), tf.mul(admit, candidate));
      const shown = tf.tanh(cell);
      state = tf.mul(show, shown);
      steps.push([joined, cellBefore, admit, forget, candidate, show, shown]);
    }
    return { state, steps };
  }

  function gradient(steps: readonly Step[], kernel: Tensor2D, stateSlope: Tensor2D): Tensor2D {
    let state = stateSlope;
    let cell: Tensor2D = tf.zerosLike(stateSlope);
    const slopes: Tensor2D[] = [];
    for (const [joined, cellBefore, admit, forget, candidate, show, shown] of steps.toReversed()) {
      const inner: Tensor2D = tf.add(cell, times(state, show, oneMinus(tf.square(shown))));
      const gates: Tensor2D = tf.concat(
        [
          times(inner, candidate, admit, oneMinus(admit)),
          times(inner, cellBefore, forget, oneMinus(forget)),
          times(inner, admit, oneMinus(tf.square(candidate))),
          times(state, shown, show, oneMinus(show)),
        ],
        0,
      );
      slopes.push(tf.matMul(joined, tf.transpose(gates)));
      state = rowsOf(tf.matMul(kernel, gates), PATCH_SIZE + 1, UNITS);
      cell = tf.mul(inner, forget);
    }
    return tf.addN(slopes);
  }

  const op = tf.customGrad((...inputs) => {
    const [patches, kernel, save] = inputs as unknown as [Tensor2D, Tensor2D, (kept: Tensor[]) => void];
    const { state, steps } = run(patches, kernel);
    save([patches, kernel, ...steps.flat()]);
    const gradFunc = (slope: Tensor, kept: Tensor[]): Tensor[] => {
      const [data, weights, ...flat] = kept as [Tensor2D, Tensor2D, ...Tensor2D[]];
      const all = Array.from({ length: PATCHES }, (_, patch) =>
        flat.slice(patch * STEP_TENSORS, (patch + 1) * STEP_TENSORS),
      );
      return [tf.zerosLike(data), gradient(all as unknown as Step[], weights, slope as Tensor2D)];
    };
    return { value: state, gradFunc };
  });
  return (patches, kernel) => op(patches, kernel) as Tensor2D;
}

/** Matrix product whose gradient multiplies nothing transposed either. */
export function createMultiply({ tf }: Backend): (left: Tensor2D, right: Tensor2D) => Tensor2D {
  const op = tf.customGrad((...inputs) => {
    const [left, right, save] = inputs as unknown as [Tensor2D, Tensor2D, (kept: Tensor[]) => void];
    save([left, right]);
    const gradFunc = (slope: Tensor, kept: Tensor[]): Tensor[] => {
      const [l, r] = kept as [Tensor2D, Tensor2D];
      return [tf.matMul(slope as Tensor2D, tf.transpose(r)), tf.matMul(tf.transpose(l), slope as Tensor2D)];
    };
    return { value: tf.matMul(left, right), gradFunc };
  });
  return (left, right) => op(left, right) as Tensor2D;
}
