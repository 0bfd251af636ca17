import { messageOf, WattwardenError } from '../agent/domain/errors.js';
import type { Bundle } from './bundle/read.js';
import { createEngine } from './engine/engine.js';
import type { Calibration } from './forecast/calibration.js';
import { allocateRows, createDecoder } from './forecast/decode.js';
import { createEncoder, type Encoder } from './forecast/features.js';
import type { History } from './forecast/history.js';
import type { ForecastRow, Horizon } from './forecast/horizons.js';
import type { Network, Precision } from './forecast/network.js';
import type { ForecastShape } from './forecast/series-history.js';
import { weightsOf } from './onnx/import.js';
import type { Place } from './window/calendar.js';
import type { Room } from './window/slot-windows.js';

export interface Forecaster {
  readonly version: string;
  readonly precision: Precision;
  readonly slotMinutes: number;
  readonly horizons: readonly Horizon[];
  readonly calibration: Calibration;
  /** A history that was written into one of them is read where it stands. */
  readonly rooms: readonly Room[];
  /**
   * One row for each history, in the same order; never NaN, whatever a history holds. `factors` stand in for those of
   * the calibration where bands adapt. Rows of `room` are written into, and the next call that is given it writes over them.
   */
  predict(
    histories: readonly History[],
    factors?: Float32Array,
    room?: readonly ForecastRow[],
  ): Promise<readonly ForecastRow[]>;
  close(): Promise<void>;
}

/** Memory grows with the batch and speed no longer does. */
export const MAX_BATCH = 64;

export async function openForecaster(bundle: Bundle, precision: Precision, place?: Place): Promise<Forecaster> {
  const { slotMinutes, horizons } = bundle.manifest;
  const shape = { slotMinutes, horizons };
  const network = await openNetwork(bundle.forecast[precision], shape);
  const encoder = createEncoder(shape, place);
  return {
    version: bundle.version,
    precision,
    slotMinutes,
    horizons,
    calibration: bundle.calibration,
    rooms: encoder.rooms,
    predict: predictWith(network, { shape, calibration: bundle.calibration }, encoder),
    close: () => network.close(),
  };
}

export type Predict = Forecaster['predict'];

export interface Serving {
  readonly shape: ForecastShape;
  readonly calibration: Pick<Calibration, 'factors'>;
  readonly place?: Place | undefined;
}

/** From histories to watts through one network, in batches of a bounded size and in memory that is used again. */
export function predictWith(
  network: Network,
  { shape, calibration, place }: Serving,
  encoder: Encoder = createEncoder(shape, place),
): Predict {
  const decoder = createDecoder(shape.horizons.length);
  let buffers = network.room;
  let busy: Promise<unknown> = Promise.resolve();

  async function run(
    histories: readonly History[],
    factors: Float32Array,
    rows: readonly ForecastRow[],
  ): Promise<void> {
    const batch = Math.min(histories.length, MAX_BATCH);
    if (buffers === undefined || (buffers !== network.room && buffers.rows < batch)) buffers = encoder.allocate(batch);
    for (let from = 0; from < histories.length; from += buffers.rows) {
      const count = encoder.encodeInto(buffers, histories, from);
      const answers = await network.run(buffers, count);
      decoder.decode(buffers, { answers, factors }, rows.slice(from, from + count));
    }
  }

  // One at a time: two would write into the same buffers.
  return (histories, factors = calibration.factors, room = allocateRows(histories.length, factors.length)) => {
    const next = busy.then(() => run(histories, factors, room));
    busy = next.catch(() => undefined);
    return next.then(() => room.slice(0, histories.length));
  };
}

/**
 * Our own network is computed by our own engine. Any other ONNX model with the declared inputs and output runs on ONNX
 * Runtime, which a gateway has only where somebody has added it.
 */
export async function openNetwork(model: Uint8Array, shape: ForecastShape): Promise<Network> {
  const weights = weightsOf(model, shape);
  if (weights !== undefined) return createEngine(weights, shape);
  const { openOnnxNetwork } = await import('./onnx/session.js').catch((error: unknown) => {
    throw new WattwardenError(
      'bundle.unreadable',
      `the forecast model is not the network of this version, and what runs others does not load; add the package onnxruntime-node where this is installed: ${messageOf(error)}`,
      { cause: error },
    );
  });
  return openOnnxNetwork(model, shape);
}
