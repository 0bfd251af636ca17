import './no-telemetry.js';
import * as ort from 'onnxruntime-node';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, WattwardenError } from '../../agent/domain/errors.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { ANALOGS } from '../forecast/analogs.js';
import { CONTEXT_SIZE, type Encoded, PATCHES, SEASONS } from '../forecast/features.js';
import { QUANTILES } from '../forecast/horizons.js';
import type { Network } from '../forecast/network.js';
import type { ForecastShape } from '../forecast/series-history.js';
import { inputPorts, outputPort } from './ports.js';
import type { Port } from './protobuf.js';

/** One ONNX model with the declared inputs and output, in ONNX Runtime. */
export async function openOnnxNetwork(model: Uint8Array, { horizons }: ForecastShape): Promise<Network> {
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
    const { window, measured, seasons, spread, analogs, context } = encoded;
    return {
      encoded,
      rows,
      feeds: {
        window: tensor(window, [WINDOW_SLOTS]),
        measured: tensor(measured, [PATCHES]),
        seasons: tensor(seasons, [SEASONS, steps]),
        spread: tensor(spread, [steps]),
        analogs: tensor(analogs, [ANALOGS]),
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
