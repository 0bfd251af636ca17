import './no-telemetry.js';
import * as ort from 'onnxruntime-node';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, WattwardenError } from '../../agent/domain/errors.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { Bundle } from '../bundle/read.js';
import type { Calibration } from '../forecast/calibration.js';
import { allocateRows, decodeRow } from '../forecast/decode.js';
import { CONTEXT_SIZE, createEncoder, type Encoded, PATCHES, SEASONS } from '../forecast/features.js';
import type { History } from '../forecast/history.js';
import { type ForecastRow, type Horizon, QUANTILES } from '../forecast/horizons.js';
import type { ForecastShape } from '../forecast/series-history.js';
import type { Place } from '../window/calendar.js';
import { inputPorts, outputPort } from './ports.js';
import type { Port } from './protobuf.js';

export type Precision = 'int8' | 'float32';

export interface Forecaster {
  readonly version: string;
  readonly precision: Precision;
  readonly slotMinutes: number;
  readonly horizons: readonly Horizon[];
  readonly calibration: Calibration;
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
  return {
    version: bundle.version,
    precision,
    slotMinutes,
    horizons,
    calibration: bundle.calibration,
    predict: predictWith(network, { shape, calibration: bundle.calibration, place }),
    close: () => network.close(),
  };
}

export type Predict = Forecaster['predict'];

export interface Serving {
  readonly shape: ForecastShape;
  readonly calibration: Calibration;
  readonly place?: Place | undefined;
}

/** From histories to watts through one network, in batches of a bounded size and in memory that is used again. */
export function predictWith(network: OnnxNetwork, { shape, calibration, place }: Serving): Predict {
  const encoder = createEncoder(shape, place);
  let buffers: Encoded | undefined;
  let busy: Promise<unknown> = Promise.resolve();

  async function run(
    histories: readonly History[],
    factors: Float32Array,
    rows: readonly ForecastRow[],
  ): Promise<void> {
    const batch = Math.min(histories.length, MAX_BATCH);
    if (buffers === undefined || buffers.rows < batch) buffers = encoder.allocate(batch);
    for (let from = 0; from < histories.length; from += MAX_BATCH) {
      const count = encoder.encodeInto(buffers, histories, from);
      const answers = await network.run(buffers, count);
      for (let row = 0; row < count; row++) {
        decodeRow(buffers, row, { answers, factors }, rows[from + row] as ForecastRow);
      }
    }
  }

  // One at a time: two would write into the same buffers.
  return (histories, factors = calibration.factors, room = allocateRows(histories.length, factors.length)) => {
    const next = busy.then(() => run(histories, factors, room));
    busy = next.catch(() => undefined);
    return next.then(() => room.slice(0, histories.length));
  };
}

/** One ONNX model with the declared inputs and output. */
export interface OnnxNetwork {
  /** Normalised quantiles of the first `rows` rows, [rows, QUANTILES, steps]; written over by the next run. */
  run(encoded: Encoded, rows?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openNetwork(model: Uint8Array, { horizons }: ForecastShape): Promise<OnnxNetwork> {
  const session = await openSession(model);
  const steps = horizons.length;
  const complaint = complaintAbout(session, steps);
  if (complaint !== undefined) {
    await session.release();
    throw new WattwardenError('bundle.unreadable', `the forecast model is another one: ${complaint}`);
  }
  const width = steps * QUANTILES.length;
  let answers = new Float32Array(0);
  let bound: Bound | undefined;

  function bind(encoded: Encoded, rows: number): Bound {
    const tensor = (data: Float32Array, dims: readonly number[]) => {
      const size = dims.reduce((product, dim) => product * dim, rows);
      return new Tensor('float32', data.subarray(0, size), [rows, ...dims]);
    };
    const { window, measured, seasons, spread, context } = encoded;
    return {
      encoded,
      rows,
      feeds: {
        window: tensor(window, [WINDOW_SLOTS]),
        measured: tensor(measured, [PATCHES]),
        seasons: tensor(seasons, [SEASONS, steps]),
        spread: tensor(spread, [steps]),
        context: tensor(context, [CONTEXT_SIZE]),
      },
      fetches: { quantiles: tensor(answers, [width]) },
    };
  }

  return {
    async run(encoded, rows = encoded.rows) {
      if (rows === 0) return new Float32Array(0);
      if (answers.length < rows * width) answers = new Float32Array(rows * width);
      // The tensors of one batch serve the next one of that size.
      if (bound?.encoded !== encoded || bound.rows !== rows) bound = bind(encoded, rows);
      await runChecked(session, bound);
      return answers;
    },
    close: () => session.release(),
  };
}

/** What of the declared inputs and output a model does not have; it is never asked anything then. */
function complaintAbout({ inputMetadata, outputMetadata }: InferenceSession, steps: number): string | undefined {
  const asked = [
    ...differencesOf('input', inputMetadata, inputPorts(steps)),
    ...differencesOf('output', outputMetadata, [outputPort(steps)]),
  ];
  return asked.length === 0 ? undefined : asked.join('; ');
}

type Metadata = InferenceSession['inputMetadata'];

function differencesOf(kind: string, theirs: Metadata, ours: readonly Port[]): readonly string[] {
  const superfluous = theirs.filter(({ name }) => !ours.some((port) => port.name === name));
  const missing = ours.filter(({ name, dims }) => {
    const found = theirs.find((one) => one.name === name);
    return !(found?.isTensor && found.type === 'float32' && fits(found.shape, dims));
  });
  return [
    ...missing.map(({ name, dims }) => `no ${kind} “${name}” of float32 [${dims.join(', ')}]`),
    ...superfluous.map(({ name }) => `nothing for its ${kind} “${name}”`),
  ];
}

/** A size that has only a name in the model is any size; that of the meters must be one. */
const fits = (theirs: readonly (number | string)[], ours: Port['dims']): boolean =>
  theirs.length === ours.length && theirs.every((size, axis) => size === ours[axis] || typeof size === 'string');

/** Tensors over the memory of so many rows. */
interface Bound {
  readonly encoded: Encoded;
  readonly rows: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly fetches: Readonly<Record<string, Tensor>>;
}

async function runChecked(session: InferenceSession, { feeds, fetches }: Bound): Promise<void> {
  try {
    await session.run(feeds, fetches);
  } catch (error) {
    throw new WattwardenError('bundle.unreadable', `the forecast model does not run: ${messageOf(error)}`, {
      cause: error,
    });
  }
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
