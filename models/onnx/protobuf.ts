import protobuf from 'protobufjs/minimal.js';

/** Field numbers are those of onnx.proto; only what the forecaster's graph needs is here. */
type Writer = protobuf.Writer;

export type ElementType = 'float32' | 'float16' | 'int8' | 'int64';

const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = { float32: 1, int8: 3, int64: 7, float16: 10 };
const IR_VERSION = 8;
/** The wire type of what begins with its length. */
const LENGTH_FIRST = 2;

export interface Constant {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Little-endian, row by row. */
  readonly bytes: Uint8Array;
}

export type Attribute = number | readonly number[];

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers; the graph needs no others. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly domain: string;
}

export interface Port {
  readonly name: string;
  /** A name stands for a dimension that is known when the model runs. */
  readonly dims: readonly (number | string)[];
}

export interface Model {
  readonly name: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly Node[];
  readonly constants: readonly Constant[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export function encodeModel(model: Model): Uint8Array {
  return message((out) => {
    int(out, 1, IR_VERSION);
    text(out, 2, 'wattwarden');
    nested(out, 7, (graph) => writeGraph(graph, model));
    for (const [domain, version] of Object.entries(model.opsets)) {
      nested(out, 8, (opset) => {
        text(opset, 1, domain);
        int(opset, 2, version);
      });
    }
  });
}

export interface TensorPlace extends Span {
  readonly type: ElementType;
}

/** Where the constants stand in a model that `encodeModel` has written. */
export function tensorPlaces(model: Uint8Array): ReadonlyMap<string, TensorPlace> {
  const places = new Map<string, TensorPlace>();
  for (const graph of fieldsOf(model, { from: 0, to: model.length }, 7)) {
    for (const tensor of fieldsOf(model, graph, 5)) {
      const [type] = fieldsOf(model, tensor, 2);
      const [name] = fieldsOf(model, tensor, 8);
      const [elements] = fieldsOf(model, tensor, 9);
      if (type === undefined || name === undefined || elements === undefined) throw new Error('a constant in parts');
      const number = protobuf.Reader.create(model.subarray(type.from, type.to)).uint32();
      const called = (Object.keys(ELEMENT_TYPES) as ElementType[]).find((one) => ELEMENT_TYPES[one] === number);
      if (called === undefined) throw new Error(`a constant of type ${number}`);
      places.set(new TextDecoder().decode(model.subarray(name.from, name.to)), { type: called, ...elements });
    }
  }
  return places;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a message in this span holds under a number, each without its tag and length. */
function fieldsOf(bytes: Uint8Array, { from, to }: Span, wanted: number): readonly Span[] {
  const reader = protobuf.Reader.create(bytes);
  reader.pos = from;
  const found: Span[] = [];
  while (reader.pos < to) {
    const tag = reader.uint32();
    const type = tag & 7;
    const length = type === LENGTH_FIRST ? reader.uint32() : undefined;
    const start = reader.pos;
    if (length === undefined) reader.skipType(type);
    else reader.skip(length);
    if (tag >>> 3 === wanted) found.push({ from: start, to: reader.pos });
  }
  return found;
}

function writeGraph(out: Writer, { name, nodes, constants, inputs, outputs }: Model): void {
  for (const node of nodes) nested(out, 1, (inner) => writeNode(inner, node));
  text(out, 2, name);
  for (const constant of constants) nested(out, 5, (inner) => writeTensor(inner, constant));
  for (const port of inputs) nested(out, 11, (inner) => writePort(inner, port));
  for (const port of outputs) nested(out, 12, (inner) => writePort(inner, port));
}

function writeNode(out: Writer, { op, inputs, outputs, attributes, domain }: Node): void {
  for (const input of inputs) text(out, 1, input);
  for (const output of outputs) text(out, 2, output);
  text(out, 4, op);
  for (const [name, value] of Object.entries(attributes)) {
    nested(out, 5, (attribute) => writeAttribute(attribute, name, value));
  }
  if (domain !== '') text(out, 7, domain);
}

function writeAttribute(out: Writer, name: string, value: Attribute): void {
  text(out, 1, name);
  if (typeof value === 'number') {
    int(out, 3, value);
    int(out, 20, 2);
  } else {
    for (const item of value) int(out, 8, item);
    int(out, 20, 7);
  }
}

function writeTensor(out: Writer, { name, type, dims, bytes }: Constant): void {
  for (const dim of dims) int(out, 1, dim);
  int(out, 2, ELEMENT_TYPES[type]);
  text(out, 8, name);
  out.uint32((9 << 3) | 2).bytes(bytes);
}

function writePort(out: Writer, { name, dims }: Port): void {
  text(out, 1, name);
  nested(out, 2, (type) =>
    nested(type, 1, (tensor) => {
      int(tensor, 1, ELEMENT_TYPES.float32);
      nested(tensor, 2, (shape) => {
        for (const dim of dims) {
          nested(shape, 1, (inner) => (typeof dim === 'number' ? int(inner, 1, dim) : text(inner, 2, dim)));
        }
      });
    }),
  );
}

function message(write: (out: Writer) => void): Uint8Array {
  const out = protobuf.Writer.create();
  write(out);
  return Uint8Array.from(out.finish());
}

function nested(out: Writer, field: number, write: (inner: Writer) => void): void {
  out.uint32((field << 3) | 2).fork();
  write(out);
  out.ldelim();
}

const int = (out: Writer, field: number, value: number): void => void out.uint32(field << 3).int64(value);
const text = (out: Writer, field: number, value: string): void => void out.uint32((field << 3) | 2).string(value);
