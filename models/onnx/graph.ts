import { halfBits } from '../half.js';
import { type Attribute, type Constant, type ElementType, encodeModel, type Node, type Port } from './protobuf.js';

/** The last set in which the axes of ReduceMean are an attribute; any runtime of the last years has it. */
const OPSETS = { '': 17, 'com.microsoft': 1 };

type Elements = Float32Array | Int8Array | readonly number[];

/** Collects nodes in the order in which they run. */
export interface GraphBuilder {
  /** Plain numbers become int64, as shapes and slice bounds are. What carries a name of its own is what was learned. */
  constant(elements: Elements, dims: readonly number[], name?: string): string;
  /** A constant in half precision. */
  half(values: Float32Array, dims: readonly number[], name: string): string;
  /** Adds a node with one output and returns that output's name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  /** Adds a node and returns the names of as many outputs; an empty name is an output not asked for. */
  nodes(node: Omit<Node, 'outputs'>, outputs: readonly boolean[]): readonly string[];
  build(name: string, inputs: readonly Port[], output: Port): Uint8Array;
}

export function createGraph(): GraphBuilder {
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  let names = 0;
  const fresh = (prefix: string) => `${prefix}${++names}`;

  const builder: GraphBuilder = {
    constant(elements, dims, name = fresh('c')) {
      constants.push({ name, dims, ...raw(elements) });
      return name;
    },
    half(values, dims, name) {
      constants.push({ name, dims, type: 'float16', bytes: bytesOf(Uint16Array.from(values, halfBits)) });
      return name;
    },
    node(op, inputs, attributes = {}) {
      return builder.nodes({ op, inputs, attributes, domain: '' }, [true])[0] ?? '';
    },
    nodes(node, wanted) {
      const outputs = wanted.map((isWanted) => (isWanted ? fresh('n') : ''));
      nodes.push({ ...node, outputs });
      return outputs;
    },
    build(name, inputs, output) {
      const last = nodes.pop();
      if (last === undefined) throw new Error('a graph without nodes');
      const renamed = { ...last, outputs: [output.name] };
      return encodeModel({ name, opsets: OPSETS, nodes: [...nodes, renamed], constants, inputs, outputs: [output] });
    },
  };
  return builder;
}

function raw(elements: Elements): { type: ElementType; bytes: Uint8Array } {
  if (elements instanceof Float32Array) return { type: 'float32', bytes: bytesOf(elements) };
  if (elements instanceof Int8Array) return { type: 'int8', bytes: bytesOf(elements) };
  return { type: 'int64', bytes: bytesOf(BigInt64Array.from(elements, BigInt)) };
}

/** Every processor that Node runs on here is little-endian, as ONNX is. */
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
