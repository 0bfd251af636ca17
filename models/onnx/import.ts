import {
  INCREMENT_START,
  LSTM_UNITS,
  mapWeights,
  type NetworkWeights,
  type Precision,
  sizeOf,
  type WeightName,
  weightShapes,
} from '../forecast/network.js';
import type { ForecastShape } from '../forecast/series-history.js';
import { fromHalfBits } from '../half.js';
import { exportOnnx } from './export.js';
import { fromOnnx } from './lstm.js';
import { scalesOf, storedAs } from './names.js';
import { type TensorPlace, tensorPlaces } from './protobuf.js';

/**
 * The weights of a model that `exportOnnx` has written for this shape; undefined for any other one, which may compute
 * anything: all bytes but those that are learned must be the same.
 */
export function weightsOf(model: Uint8Array, shape: ForecastShape): NetworkWeights | undefined {
  const steps = shape.horizons.length;
  const blank = mapWeights(steps, (_, dims) => new Float32Array(sizeOf(dims)));
  for (const precision of ['int8', 'float32'] as const) {
    const template = exportOnnx(blank, shape, precision);
    if (template.length !== model.length) continue;
    const learned = learnedPlaces(template, steps);
    if (isSameBeside(template, model, [...learned.values()])) return readWeights(model, learned, precision, steps);
  }
  return undefined;
}

function learnedPlaces(template: Uint8Array, steps: number): ReadonlyMap<string, TensorPlace> {
  const names = Object.keys(weightShapes(steps)) as WeightName[];
  const learned = new Set(names.flatMap((name) => [storedAs(name), scalesOf(name)]));
  return new Map([...tensorPlaces(template)].filter(([name]) => learned.has(name)));
}

function isSameBeside(template: Uint8Array, model: Uint8Array, places: readonly TensorPlace[]): boolean {
  const [expected, found] = [Uint8Array.from(template), Uint8Array.from(model)];
  for (const { from, to } of places) {
    expected.fill(0, from, to);
    found.fill(0, from, to);
  }
  return Buffer.compare(expected, found) === 0;
}

function readWeights(
  model: Uint8Array,
  places: ReadonlyMap<string, TensorPlace>,
  precision: Precision,
  steps: number,
): NetworkWeights {
  const numbersOf = (name: string): Float32Array => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`the export has no ${name}`);
    return numbers(model, place);
  };
  return mapWeights(steps, (name, dims) => {
    const stored = numbersOf(storedAs(name));
    const scales = places.has(scalesOf(name)) ? numbersOf(scalesOf(name)) : undefined;
    const values =
      scales === undefined ? stored : stored.map((value, at) => value * (scales[at % scales.length] as number));
    switch (name) {
      case 'lstm':
      case 'recurrent':
        return fromOnnx(values, LSTM_UNITS, precision === 'float32');
      case 'lstmBias':
        return fromOnnx(values.subarray(0, sizeOf(dims)), LSTM_UNITS, false);
      case 'incrementsBias':
        return values.map((value) => value - INCREMENT_START);
      default:
        return values;
    }
  });
}

/** The file's bytes stand anywhere, typed arrays only where their elements may begin: hence a copy, also of a Buffer. */
function numbers(model: Uint8Array, { type, from, to }: TensorPlace): Float32Array {
  const { buffer } = Uint8Array.from(model.subarray(from, to));
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), fromHalfBits);
    case 'int8':
      return Float32Array.from(new Int8Array(buffer));
    case 'int64':
      throw new Error('a learned constant of whole numbers');
  }
}
