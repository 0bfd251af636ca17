import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { PATCH_SLOTS, PATCHES, SEASONS } from '../forecast/features.js';
import {
  aroundYesterday,
  BLENDED,
  BLENDS,
  COMPRESSION,
  DAY_PARTS,
  dayPartMatrix,
  INCREMENT_START,
  INCREMENTS,
  LARGEST_WIDTH,
  LSTM_UNITS,
  mapWeights,
  NEAR_STEPS,
  NEWEST_SLOTS,
  type NetworkWeights,
  PATCH_SIZE,
  type Precision,
  type WeightName,
  weightShapes,
} from '../forecast/network.js';
import type { ForecastShape } from '../forecast/series-history.js';
import { roundedToHalf } from '../half.js';
import { createGraph, type GraphBuilder } from './graph.js';
import { type LstmWeights, lstm } from './lstm.js';
import { scalesOf, storedAs } from './names.js';
import { inputPorts, outputPort } from './ports.js';
import { quantiseColumns } from './quantise.js';

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
    'analogs',
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
    network.compress('analogs'),
  ];
  const dense = gemm(graph.node('Concat', parts, { axis: 1 }), 'dense', 'denseBias');
  const hidden = network.silu(dense);
  const corrected = graph.node('Add', [linear, gemm(hidden, 'correct', 'correctBias')]);
  const median = graph.node('Add', [corrected, network.blended(seasons, hidden)]);
  const narrow = gemm(hidden, 'narrow', 'narrowBias');
  const startBias = weights.incrementsBias.map((bias) => bias + INCREMENT_START);
  const raw = graph.node('Gemm', [
    narrow,
    network.matrix('increments'),
    graph.constant(startBias, [INCREMENTS * steps], storedAs('incrementsBias')),
  ]);
  const widths = network.softplus(raw);
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
    if (HALVES.has(name)) return graph.node('Cast', [graph.half(weights[name], dims, storedAs(name))], { to: 1 });
    const columns = dims.at(-1) ?? 1;
    const { values, scales } = quantiseColumns(weights[name], columns);
    const cast = graph.node('Cast', [graph.constant(values, dims, storedAs(name))], { to: 1 });
    return graph.node('Mul', [cast, graph.constant(scales, [1, columns], scalesOf(name))]);
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

  /** With the meters last, so that what differs from step to step or from blend to blend is added to all of them at once. */
  function blended(compressedSeasons: string, hidden: string): string {
    const seasons = graph.node('Reshape', [compressedSeasons, sizes(0, SEASONS * steps)]);
    const own = transposed(graph.node('Concat', [seasons, compress('spread')], { axis: 1 }));
    const fromSeasons = graph.node('MatMul', [
      transposed(matrix('blend')),
      graph.node('Reshape', [own, sizes(BLENDED, -1)]),
    ]);
    const fromHidden = transposed(graph.node('MatMul', [hidden, matrix('blendHidden')]));
    const bias = graph.node('Reshape', [transposed(matrix('blendBias')), sizes(BLENDS, steps, 1)]);
    const moved = graph.node('Add', [graph.node('Reshape', [fromHidden, sizes(BLENDS, 1, -1)]), bias]);
    const sum = graph.node('Add', [graph.node('Reshape', [fromSeasons, sizes(BLENDS, steps, -1)]), moved]);
    const mixed = graph.node('MatMul', [
      graph.constant(weights.mixed, [1, BLENDS], storedAs('mixed')),
      graph.node('Reshape', [silu(sum), sizes(BLENDS, -1)]),
    ]);
    return transposed(graph.node('Reshape', [mixed, sizes(steps, -1)]));
  }

  const transposed = (matrixOf: string) => graph.node('Transpose', [matrixOf], { perm: [1, 0] });

  return {
    graph,
    sizes,
    scalar,
    byPatch,
    matrix,
    state,
    gemm: (input: string, kernel: WeightName, bias: WeightName) =>
      graph.node('Gemm', [input, matrix(kernel), graph.constant(weights[bias], shapes[bias], storedAs(bias))]),
    silu,
    compress,
    blended,
    /** As Softplus, which the runtime computes number by number; no wider than LARGEST_WIDTH. */
    softplus(source: string) {
      const exponential = graph.node('Exp', [graph.node('Min', [source, scalar(LARGEST_WIDTH)])]);
      return graph.node('Log', [graph.node('Add', [exponential, scalar(1)])]);
    },
    /** From `from` up to `to` along an axis. */
    slice: (input: string, axis: number, [from, to]: readonly [number, number]) =>
      graph.node('Slice', [input, sizes(from), sizes(to), sizes(axis)]),
  };
}
