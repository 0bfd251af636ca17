import type { Precision, WeightName } from '../forecast/network.js';
import { transposed } from '../transposed.js';
import type { GraphBuilder } from './graph.js';
import { scalesOf, storedAs } from './names.js';
import { quantisePairedRows } from './quantise.js';

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
  const matrix = (name: WeightName, values: Float32Array, rows: number) => {
    const half = graph.half(transposed(reorderGates(values, units), columns), [1, columns, rows], storedAs(name));
    return graph.node('Cast', [half], { to: 1 });
  };
  const matrices = [matrix('lstm', kernel, inputs), matrix('recurrent', recurrent, units)];
  return { op: 'LSTM', inputs: [sequence, ...matrices, biasOf(graph, bias, units)], domain: '' };
}

function quantisedNode(graph: GraphBuilder, sequence: string, { kernel, recurrent, bias, inputs, units }: LstmWeights) {
  const columns = GATES * units;
  const matrix = (name: WeightName, values: Float32Array, rows: number) => {
    const quantised = quantisePairedRows(reorderGates(values, units), columns);
    return { name, rows, ...quantised };
  };
  const matrices = [matrix('lstm', kernel, inputs), matrix('recurrent', recurrent, units)];
  return {
    op: 'DynamicQuantizeLSTM',
    domain: 'com.microsoft',
    inputs: [
      sequence,
      ...matrices.map(({ name, values, rows }) => graph.constant(values, [1, rows, columns], storedAs(name))),
      biasOf(graph, bias, units),
      // Sequence lengths, initial states and peepholes: none.
      ...['', '', '', ''],
      ...matrices.flatMap(({ name, scales }) => [
        graph.constant(scales, [1, columns], scalesOf(name)),
        graph.constant(new Int8Array(columns), [1, columns]),
      ]),
    ],
  };
}

/** The arrays of the LSTM as they were before they went into a file; `columns` first where they stand transposed. */
export function fromOnnx(values: Float32Array, units: number, isTransposed: boolean): Float32Array {
  const rows = values.length / (GATES * units);
  return movedGates(isTransposed ? transposed(values, rows) : values, units, (to, from) => [from, to]);
}

const reorderGates = (values: Float32Array, units: number) => movedGates(values, units, (to, from) => [to, from]);

function movedGates(
  values: Float32Array,
  units: number,
  way: (onnx: number, ours: number) => readonly [to: number, from: number],
): Float32Array {
  const moved = new Float32Array(values.length);
  for (let row = 0; row < values.length; row += GATES * units) {
    for (const [onnx, ours] of GATE_ORDER.entries()) {
      const [to, from] = way(onnx, ours);
      const start = row + from * units;
      moved.set(values.subarray(start, start + units), row + to * units);
    }
  }
  return moved;
}

/** ONNX adds a bias for the inputs and one for the state. */
function biasOf(graph: GraphBuilder, bias: Float32Array, units: number): string {
  const doubled = new Float32Array(2 * bias.length);
  doubled.set(reorderGates(bias, units));
  return graph.constant(doubled, [1, doubled.length], storedAs('lstmBias'));
}
