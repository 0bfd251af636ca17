import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { PATCH_SLOTS, PATCHES, SEASONS } from '../forecast/features.js';
import {
  aroundYesterday,
  BLENDS,
  COMPRESSION,
  DAY_PARTS,
  dayPartMatrix,
  INCREMENT_START,
  INCREMENTS,
  LSTM_UNITS,
  mapWeights,
  NEAR_STEPS,
  NEWEST_SLOTS,
  type NetworkWeights,
  PATCH_SIZE,
  type WeightName,
  weightShapes,
} from '../forecast/network.js';
import type { ForecastShape } from '../forecast/series-history.js';
import { roundedToHalf } from '../half.js';
import { createGraph, type GraphBuilder } from './graph.js';
import { type LstmWeights, lstm } from './lstm.js';
import { inputPorts, outputPort } from './ports.js';
import { quantiseColumns } from './quantise.js';
import type { Precision } from './session.js';

/**
 * The network of forecast/network.ts as an ONNX model. What computes with int8 weights in int8 is the LSTM. All other
 * matrices compute in float32; the file keeps them in the steps that storedWeights has left them in.
 */
export function exportOnnx(weights: NetworkWeights, shape: ForecastShape, precision: Precision): Uint8Array {
  const steps = shape.horizons.length;
  const network = createParts(createGraph(), { weights, steps, precision });
  const { graph, gemm } = network;
  const dayParts = graph.constant(dayPartMatrix(shape.horizons), [steps, DAY_PARTS]);
  const compressed = network.compress('window');
  const seasons = network.compress('seasons');
  const near = (source: string) =>
    graph.node('Reshape', [network.slice(source, 2, [0, NEAR_STEPS]), network.sizes(0, SEASONS * NEAR_STEPS)]);

  const mix = [
    network.slice('window', 1, [WINDOW_SLOTS - PATCH_SLOTS, WINDOW_SLOTS]),
    network.slice('window', 1, aroundYesterday(shape.slotMinutes)),
    graph.node('ReduceMean', [network.byPatch('window')], { axes: [2], keepdims: 0 }),
    near('seasons'),
  ];
  const weighed = graph.node('Mul', ['seasons', network.matrix('seasons')]);
  const seasonal = graph.node('ReduceSum', [weighed, network.sizes(1)], { keepdims: 0 });
  const linear = graph.node('Add', [gemm(graph.node('Concat', mix, { axis: 1 }), 'linear', 'linearBias'), seasonal]);

  const parts = [
    'context',
    network.slice(compressed, 1, [WINDOW_SLOTS - NEWEST_SLOTS, WINDOW_SLOTS]),
    network.state(compressed),
    near(seasons),
    graph.node('Reshape', [graph.node('MatMul', [seasons, dayParts]), network.sizes(0, SEASONS * DAY_PARTS)]),
    graph.node('MatMul', ['spread', dayParts]),
  ];
  const dense = gemm(graph.node('Concat', parts, { axis: 1 }), 'dense', 'denseBias');
  const hidden = network.silu(dense);
  const corrected = graph.node('Add', [linear, gemm(hidden, 'correct', 'correctBias')]);
  const median = graph.node('Add', [corrected, network.blended(seasons, hidden)]);
  const raw = gemm(gemm(hidden, 'narrow', 'narrowBias'), 'increments', 'incrementsBias');
  const widths = network.softplus(graph.node('Add', [raw, network.scalar(INCREMENT_START)]));
  const width = (index: number) => network.slice(widths, 1, [index * steps, (index + 1) * steps]);
  const half = INCREMENTS / 2;
  const below: string[] = [];
  const above: string[] = [];
  for (let index = 0; index < half; index++) {
    below.unshift(graph.node('Sub', [below[0] ?? median, width(index)]));
    above.push(graph.node('Add', [above.at(-1) ?? median, width(half + index)]));
  }
  graph.node('Concat', [...below, median, ...above], { axis: 1 });
  return graph.build('wattwarden-forecast', inputPorts(steps), outputPort(steps));
}

/** The linear path and the blend carry the forecast, and the LSTM is quantised when it computes; the rest corrects. */
const HALVES: ReadonlySet<WeightName> = new Set([
  'linear',
  'seasons',
  'lstm',
  'recurrent',
  'blend',
  'blendHidden',
  'blendBias',
]);

/** What remains of weights once they stand in a file: what is calibrated and compared is what is served. */
export function storedWeights(weights: NetworkWeights): NetworkWeights {
  const steps = weights.linearBias.length;
  const shapes = weightShapes(steps);
  return mapWeights(steps, (name) => {
    const dims = shapes[name];
    if (dims.length === 1) return weights[name];
    if (HALVES.has(name)) return roundedToHalf(weights[name]);
    const columns = dims.at(-1) ?? 1;
    const { values, scales } = quantiseColumns(weights[name], columns);
    return Float32Array.from(values, (value, index) => value * (scales[index % columns] as number));
  });
}

interface PartsOptions {
  readonly weights: NetworkWeights;
  readonly steps: number;
  readonly precision: Precision;
}

/** The pieces that the graph above is put together from. */
function createParts(graph: GraphBuilder, { weights, steps, precision }: PartsOptions) {
  const shapes = weightShapes(steps);
  const sizes = (...dims: number[]) => graph.constant(dims, [dims.length]);
  const scalar = (value: number) => graph.constant(Float32Array.of(value), []);
  const byPatch = (source: string) => graph.node('Reshape', [source, sizes(0, PATCHES, PATCH_SLOTS)]);

  /** A matrix of the file, as float32. */
  function matrix(name: WeightName): string {
    const dims = shapes[name];
    if (HALVES.has(name)) return graph.node('Cast', [graph.half(weights[name], dims)], { to: 1 });
    const columns = dims.at(-1) ?? 1;
    const { values, scales } = quantiseColumns(weights[name], columns);
    const cast = graph.node('Cast', [graph.constant(values, dims)], { to: 1 });
    return graph.node('Mul', [cast, graph.constant(scales, [1, columns])]);
  }

  function state(compressed: string): string {
    const measured = graph.node('Reshape', ['measured', sizes(0, PATCHES, 1)]);
    const patches = graph.node('Concat', [byPatch(compressed), measured], { axis: 2 });
    const sequence = graph.node('Transpose', [patches], { perm: [1, 0, 2] });
    const arrays: LstmWeights = {
      kernel: weights.lstm,
      recurrent: weights.recurrent,
      bias: weights.lstmBias,
      inputs: PATCH_SIZE,
      units: LSTM_UNITS,
    };
    return graph.node('Reshape', [lstm(graph, { sequence, precision, weights: arrays }), sizes(-1, LSTM_UNITS)]);
  }

  const silu = (x: string) => graph.node('Mul', [x, graph.node('Sigmoid', [x])]);

  function compress(source: string): string {
    const narrowed = graph.node('Mul', [source, scalar(1 / COMPRESSION)]);
    return graph.node('Mul', [graph.node('Softsign', [narrowed]), scalar(COMPRESSION)]);
  }

  function blended(compressedSeasons: string, hidden: string): string {
    const spread = graph.node('Reshape', [compress('spread'), sizes(0, 1, steps)]);
    const own = graph.node('Concat', [compressedSeasons, spread], { axis: 1 });
    const perStep = graph.node('Transpose', [own], { perm: [0, 2, 1] });
    const fromSeasons = graph.node('MatMul', [perStep, matrix('blend')]);
    const product = graph.node('MatMul', [hidden, matrix('blendHidden')]);
    const fromHidden = graph.node('Reshape', [product, sizes(0, 1, BLENDS)]);
    const sum = graph.node('Add', [graph.node('Add', [fromSeasons, fromHidden]), matrix('blendBias')]);
    return graph.node('Reshape', [
      graph.node('MatMul', [silu(sum), graph.constant(weights.mixed, [BLENDS, 1])]),
      sizes(0, steps),
    ]);
  }

  return {
    graph,
    sizes,
    scalar,
    byPatch,
    matrix,
    state,
    gemm: (input: string, kernel: WeightName, bias: WeightName) =>
      graph.node('Gemm', [input, matrix(kernel), graph.constant(weights[bias], shapes[bias])]),
    silu,
    compress,
    blended,
    /** As Softplus, which the runtime computes number by number, of operators that it computes eight at a time. */
    softplus(source: string) {
      const decay = graph.node('Exp', [graph.node('Neg', [graph.node('Abs', [source])])]);
      const rest = graph.node('Log', [graph.node('Add', [decay, scalar(1)])]);
      return graph.node('Add', [graph.node('Relu', [source]), rest]);
    },
    /** From `from` up to `to` along an axis. */
    slice: (input: string, axis: number, [from, to]: readonly [number, number]) =>
      graph.node('Slice', [input, sizes(from), sizes(to), sizes(axis)]),
  };
}
