import './no-telemetry.js';
import * as ort from 'onnxruntime-node';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, WattwardenError } from '../../agent/domain/errors.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { Bundle } from '../bundle/read.js';
import { decode, type Encoded, encode } from '../forecast/features.js';
import type { ForecastRow, Horizon } from '../forecast/horizons.js';
import { CALENDAR_SIZE } from '../window/calendar.js';
import type { SlotWindow } from '../window/slot-windows.js';

export type Precision = 'int8' | 'float32';

export interface Forecaster {
  readonly version: string;
  readonly precision: Precision;
  readonly horizons: readonly Horizon[];
  /** One row for each window, in the same order; never NaN, whatever the window holds. */
  predict(windows: readonly SlotWindow[]): Promise<readonly ForecastRow[]>;
  close(): Promise<void>;
}

/** Memory grows with the batch and speed no longer does. */
const MAX_BATCH = 512;

export async function openForecaster(bundle: Bundle, precision: Precision): Promise<Forecaster> {
  const network = await openNetwork(bundle.forecast[precision]);
  return {
    version: bundle.version,
    precision,
    horizons: bundle.manifest.horizons,
    predict: predictWith(network),
    close: () => network.close(),
  };
}

export type Predict = Forecaster['predict'];

/** From windows to watts through one network, in batches of a bounded size. */
export function predictWith(network: OnnxNetwork): Predict {
  return async (windows) => {
    const rows: ForecastRow[] = [];
    for (let from = 0; from < windows.length; from += MAX_BATCH) {
      const encoded = encode(windows.slice(from, from + MAX_BATCH));
      rows.push(...decode(encoded, await network.run(encoded)));
    }
    return rows;
  };
}

/** One ONNX model with the declared inputs and output. */
export interface OnnxNetwork {
  /** Normalised quantiles, [rows, steps, quantiles]. */
  run(encoded: Encoded): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openNetwork(model: Uint8Array): Promise<OnnxNetwork> {
  const session = await openSession(model);
  return {
    async run({ rows, window, mask, calendar }) {
      const outputs = await session.run({
        window: new Tensor('float32', window, [rows, WINDOW_SLOTS]),
        mask: new Tensor('float32', mask, [rows, WINDOW_SLOTS]),
        calendar: new Tensor('float32', calendar, [rows, CALENDAR_SIZE]),
      });
      const data = outputs['quantiles']?.data;
      if (data instanceof Float32Array) return data;
      throw new WattwardenError('bundle.unreadable', 'the forecast model gives no float32 output `quantiles`');
    },
    close: () => session.release(),
  };
}

async function openSession(model: Uint8Array): Promise<InferenceSession> {
  try {
    // One thread: the gateway's other threads have the other cores, and sums keep their order.
    return await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Both keep the memory of the largest batch for the next one, which comes minutes later.
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new WattwardenError('bundle.unreadable', `the forecast model does not load: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
