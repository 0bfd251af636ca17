import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { QUANTILES } from '../forecast/horizons.js';
import {
  DENSE_UNITS,
  HEAD_SIZE,
  LAYER_SIZES,
  type Layer,
  LINEAR_SIZE,
  LSTM_UNITS,
  type NetworkWeights,
  PATCH_LIMIT,
  PATCH_SIZE,
  PATCH_SLOTS,
  PATCHES,
  STEPS,
} from '../forecast/network.js';
import { CALENDAR_SIZE } from '../window/calendar.js';
import { createGraph, type GraphBuilder } from './graph.js';
import type { Port } from './protobuf.js';
import type { Precision } from './session.js';

const GATES = 4;
/** TensorFlow.js keeps its gates as i, f, c, o; ONNX wants i, o, f, c. */
const GATE_ORDER = [0, 3, 1, 2];

export const INPUTS: readonly Port[] = [
  { name: 'window', dims: ['meters', WINDOW_SLOTS] },
  { name: 'mask', dims: ['meters', WINDOW_SLOTS] },
  { name: 'calendar', dims: ['meters', CALENDAR_SIZE] },
];
export const OUTPUT: Port = { name: 'quantiles', dims: ['meters', STEPS, QUANTILES.length] };

/** The network of forecast/network.ts as an ONNX model; in int8 only the LSTM's matrices are quantised. */
export function exportOnnx(weights: NetworkWeights, precision: Precision): Uint8Array {
  const graph = createGraph();
  const byPatch = graph.node('Reshape', ['window', graph.constant([0, PATCHES, PATCH_SLOTS], [3])]);
  const median = linearPath(graph, byPatch, weights.linear);
  const head = lstmPath(graph, byPatch, weights, precision);
  const part = (index: number) => slice(graph, head, index * STEPS, (index + 1) * STEPS);
  const corrected = graph.node('Add', [median, part(0)]);
  const low = graph.node('Sub', [corrected, graph.node('Softplus', [part(1)])]);
  const high = graph.node('Add', [corrected, graph.node('Softplus', [part(2)])]);
  const last = graph.constant([2], [1]);
  const columns = [low, corrected, high].map((quantile) => graph.node('Unsqueeze', [quantile, last]));
  graph.node('Concat', columns, { axis: 2 });
  return graph.build('wattwarden-forecast', INPUTS, OUTPUT);
}

function linearPath(graph: GraphBuilder, byPatch: string, linear: Layer): string {
  const first = slice(graph, 'window', 0, PATCH_SLOTS);
  const last = slice(graph, 'window', WINDOW_SLOTS - PATCH_SLOTS, WINDOW_SLOTS);
  const means = graph.node('ReduceMean', [byPatch], { axes: [2], keepdims: 0 });
  return gemm(graph, graph.node('Concat', [first, last, means], { axis: 1 }), linear, [LINEAR_SIZE, STEPS]);
}

function lstmPath(graph: GraphBuilder, byPatch: string, weights: NetworkWeights, precision: Precision): string {
  const limits = [-PATCH_LIMIT, PATCH_LIMIT].map((limit) => graph.constant(Float32Array.of(limit), []));
  const clipped = graph.node('Clip', [byPatch, ...limits]);
  const maskByPatch = graph.node('Reshape', ['mask', graph.constant([0, PATCHES, PATCH_SLOTS], [3])]);
  const measured = graph.node('ReduceMean', [maskByPatch], { axes: [2], keepdims: 1 });
  const patches = graph.node('Concat', [clipped, measured], { axis: 2 });
  const sequence = graph.node('Transpose', [patches], { perm: [1, 0, 2] });
  const lstm = precision === 'int8' ? quantisedLstm : floatLstm;
  const state = graph.node('Reshape', [lstm(graph, sequence, weights.lstm), graph.constant([-1, LSTM_UNITS], [2])]);
  const joined = graph.node('Concat', [state, 'calendar'], { axis: 1 });
  const hidden = graph.node('Tanh', [gemm(graph, joined, weights.dense, LAYER_SIZES.dense)]);
  return gemm(graph, hidden, weights.head, [DENSE_UNITS, HEAD_SIZE]);
}

function floatLstm(graph: GraphBuilder, sequence: string, lstm: NetworkWeights['lstm']): string {
  const columns = GATES * LSTM_UNITS;
  const kernel = transpose(reorderGates(lstm.kernel), PATCH_SIZE, columns);
  const recurrent = transpose(reorderGates(lstm.recurrent), LSTM_UNITS, columns);
  const inputs = [
    sequence,
    graph.constant(kernel, [1, columns, PATCH_SIZE]),
    graph.constant(recurrent, [1, columns, LSTM_UNITS]),
    graph.constant(onnxBias(lstm.bias), [1, 2 * columns]),
  ];
  const [, state = ''] = graph.nodes({ op: 'LSTM', inputs, attributes: { hidden_size: LSTM_UNITS }, domain: '' }, [
    false,
    true,
  ]);
  return state;
}

function quantisedLstm(graph: GraphBuilder, sequence: string, lstm: NetworkWeights['lstm']): string {
  const columns = GATES * LSTM_UNITS;
  const kernel = quantiseColumns(reorderGates(lstm.kernel), columns);
  const recurrent = quantiseColumns(reorderGates(lstm.recurrent), columns);
  const zero = () => graph.constant(new Int8Array(columns), [1, columns]);
  const inputs = [
    sequence,
    graph.constant(kernel.values, [1, PATCH_SIZE, columns]),
    graph.constant(recurrent.values, [1, LSTM_UNITS, columns]),
    graph.constant(onnxBias(lstm.bias), [1, 2 * columns]),
    // Sequence lengths, initial states and peepholes: none.
    ...['', '', '', ''],
    graph.constant(kernel.scales, [1, columns]),
    zero(),
    graph.constant(recurrent.scales, [1, columns]),
    zero(),
  ];
  const [, state = ''] = graph.nodes(
    { op: 'DynamicQuantizeLSTM', inputs, attributes: { hidden_size: LSTM_UNITS }, domain: 'com.microsoft' },
    [false, true],
  );
  return state;
}

function gemm(graph: GraphBuilder, input: string, { kernel, bias }: Layer, dims: readonly [number, number]): string {
  return graph.node('Gemm', [input, graph.constant(kernel, dims), graph.constant(bias, [dims[1]])]);
}

/** Columns `from` up to `to`. */
function slice(graph: GraphBuilder, input: string, from: number, to: number): string {
  return graph.node('Slice', [input, ...[from, to, 1].map((bound) => graph.constant([bound], [1]))]);
}

function reorderGates(values: Float32Array): Float32Array {
  const reordered = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += GATES * LSTM_UNITS) {
    for (const [to, from] of GATE_ORDER.entries()) {
      const start = row + from * LSTM_UNITS;
      reordered.set(values.subarray(start, start + LSTM_UNITS), row + to * LSTM_UNITS);
    }
  }
  return reordered;
}

/** ONNX adds a bias for the inputs and one for the state. */
function onnxBias(bias: Float32Array): Float32Array {
  const doubled = new Float32Array(2 * bias.length);
  doubled.set(reorderGates(bias));
  return doubled;
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(values.length);
  for (const [index, value] of values.entries()) {
    transposed[(index % columns) * rows + Math.floor(index / columns)] = value;
  }
  return transposed;
}

/** One scale for each column, with zero at zero. */
function quantiseColumns(values: Float32Array, columns: number): { values: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(columns);
  for (const [index, value] of values.entries()) {
    const column = index % columns;
    scales[column] = Math.max(scales[column] as number, Math.abs(value) / 127);
  }
  const quantised = Int8Array.from(values, (value, index) => {
    const scale = scales[index % columns] as number;
    return scale === 0 ? 0 : Math.round(value / scale);
  });
  return { values: quantised, scales: scales.map((scale) => (scale === 0 ? 1 : scale)) };
}
