import type { GraphBuilder } from './graph.js';
import { quantisePairedRows } from './quantise.js';
import type { Precision } from './session.js';

const GATES = 4;
/** TensorFlow.js keeps its gates as i, f, c, o; ONNX wants i, o, f, c. */
const GATE_ORDER = [0, 3, 1, 2];

export interface LstmWeights {
  /** [inputs, 4 × units] */
  readonly kernel: Float32Array;
  /** [units, 4 × units] */
  readonly recurrent: Float32Array;
  readonly bias: Float32Array;
  readonly inputs: number;
  readonly units: number;
}

export interface LstmOptions {
  /** [steps, rows, inputs] */
  readonly sequence: string;
  readonly precision: Precision;
  readonly weights: LstmWeights;
}

/** The last state of an LSTM, [1, rows, units]. */
export function lstm(graph: GraphBuilder, { sequence, precision, weights }: LstmOptions): string {
  const node = precision === 'int8' ? quantisedNode(graph, sequence, weights) : floatNode(graph, sequence, weights);
  const [, state = ''] = graph.nodes({ ...node, attributes: { hidden_size: weights.units } }, [false, true]);
  return state;
}

function floatNode(graph: GraphBuilder, sequence: string, { kernel, recurrent, bias, inputs, units }: LstmWeights) {
  const columns = GATES * units;
  const matrix = (values: Float32Array, rows: number) => {
    const half = graph.half(transpose(reorderGates(values, units), rows, columns), [1, columns, rows]);
    return graph.node('Cast', [half], { to: 1 });
  };
  const biases = graph.constant(onnxBias(bias, units), [1, 2 * columns]);
  return { op: 'LSTM', inputs: [sequence, matrix(kernel, inputs), matrix(recurrent, units), biases], domain: '' };
}

function quantisedNode(graph: GraphBuilder, sequence: string, { kernel, recurrent, bias, inputs, units }: LstmWeights) {
  const columns = GATES * units;
  const matrices = [
    { rows: inputs, ...quantisePairedRows(reorderGates(kernel, units), columns) },
    { rows: units, ...quantisePairedRows(reorderGates(recurrent, units), columns) },
  ];
  return {
    op: 'DynamicQuantizeLSTM',
    domain: 'com.microsoft',
    inputs: [
      sequence,
      ...matrices.map(({ values, rows }) => graph.constant(values, [1, rows, columns])),
      graph.constant(onnxBias(bias, units), [1, 2 * columns]),
      // Sequence lengths, initial states and peepholes: none.
      ...['', '', '', ''],
      ...matrices.flatMap(({ scales }) => [
        graph.constant(scales, [1, columns]),
        graph.constant(new Int8Array(columns), [1, columns]),
      ]),
    ],
  };
}

function reorderGates(values: Float32Array, units: number): Float32Array {
  const reordered = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += GATES * units) {
    for (const [to, from] of GATE_ORDER.entries()) {
      const start = row + from * units;
      reordered.set(values.subarray(start, start + units), row + to * units);
    }
  }
  return reordered;
}

/** ONNX adds a bias for the inputs and one for the state. */
function onnxBias(bias: Float32Array, units: number): Float32Array {
  const doubled = new Float32Array(2 * bias.length);
  doubled.set(reorderGates(bias, units));
  return doubled;
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(values.length);
  for (const [index, value] of values.entries()) {
    transposed[(index % columns) * rows + Math.floor(index / columns)] = value;
  }
  return transposed;
}
