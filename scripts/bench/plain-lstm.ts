import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { CONTEXT_SIZE, type Encoded } from '../../models/forecast/features.js';
import type { Backend } from '../../models/forecast/train/backend.js';

const UNITS = 32;
const INPUTS = 4;

/** The plain LSTM as whoever takes it from TensorFlow.js has it; the yardstick of the evaluation does without that. */
export function createLayersLstm({ tf, layers }: Backend, steps: number) {
  const model = layers.sequential({
    layers: [
      layers.layers.lstm({
        units: UNITS,
        inputShape: [WINDOW_SLOTS, INPUTS],
        recurrentActivation: 'sigmoid',
        recurrentInitializer: 'glorotUniform',
      }),
      layers.layers.dense({ units: steps }),
    ],
  });
  return {
    /** Normalised medians, [rows, steps]. */
    predict: (batch: Encoded): Float32Array =>
      tf.tidy(() => {
        const inputs = tf.tensor3d(inputsOf(batch), [batch.rows, WINDOW_SLOTS, INPUTS]);
        return Float32Array.from((model.apply(inputs) as typeof inputs).dataSync());
      }),
    dispose: () => model.dispose(),
  };
}

/** Power, sine and cosine of the time of day, day of rest. */
function inputsOf({ rows, window, context }: Encoded): Float32Array {
  const inputs = new Float32Array(rows * WINDOW_SLOTS * INPUTS);
  for (let row = 0; row < rows; row++) {
    const calendar = context.subarray(row * CONTEXT_SIZE, (row + 1) * CONTEXT_SIZE);
    for (let slot = 0; slot < WINDOW_SLOTS; slot++) {
      const at = (row * WINDOW_SLOTS + slot) * INPUTS;
      inputs[at] = window[row * WINDOW_SLOTS + slot] as number;
      inputs[at + 1] = calendar[0] as number;
      inputs[at + 2] = calendar[1] as number;
      inputs[at + 3] = calendar[6] as number;
    }
  }
  return inputs;
}
