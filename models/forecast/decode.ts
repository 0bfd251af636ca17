import { createLayout, FLOAT_BYTES } from '../engine/machine.js';
import type { Encoded } from './features.js';
import { type ForecastRow, QUANTILES } from './horizons.js';

/** float32 ends here; beyond what a meter can mean, but a result is never infinite. */
const LARGEST_W = 3e38;

export interface Answers {
  /** Of the network, [rows, QUANTILES, steps], normalised. */
  readonly answers: Float32Array;
  /** [steps, QUANTILES]: by this the distances from the median are multiplied. */
  readonly factors: Float32Array;
}

/** Room for so many rows of so many numbers, all in one piece of memory. */
export function allocateRows(rows: number, width: number): readonly ForecastRow[] {
  const watts = new Float32Array(rows * width);
  return Array.from({ length: rows }, (_, row) => ({ watts: watts.subarray(row * width, (row + 1) * width) }));
}

/** No quantile passes its neighbour towards the median, and none is NaN. */
export interface Decoder {
  /** The network's answers to the first of the encoded rows in watts, as many as there is room for. */
  decode(encoded: Encoded, answers: Answers, room: readonly ForecastRow[]): void;
}

/** As many rows as are decoded at a time. */
const PART = 32;
/** Centre, scale and lowest watts of a row, each a number of eight bytes. */
const LEVELS = 3;

export function createDecoder(steps: number): Decoder {
  const width = QUANTILES.length * steps;
  const layout = createLayout();
  const at = {
    answers: layout.room(PART * width + 1),
    factors: layout.room(width),
    levels: layout.room(PART * LEVELS * 2),
    watts: layout.room(PART * width),
  };
  const { kernels, floats, doubles } = layout.build();
  const given = floats(at.answers, PART * width);
  const factors = floats(at.factors, width);
  const levels = doubles(at.levels, PART * LEVELS);
  const watts = Array.from({ length: PART }, (_, row) => floats(at.watts + row * width * FLOAT_BYTES, width));

  return {
    decode({ centreW, scaleW, neverNegative }, answers, room) {
      factors.set(answers.factors);
      for (let first = 0; first < room.length; first += PART) {
        const rows = Math.min(PART, room.length - first);
        given.set(answers.answers.subarray(first * width, (first + rows) * width));
        for (let row = 0; row < rows; row++) {
          levels[row * LEVELS] = centreW[first + row] as number;
          levels[row * LEVELS + 1] = scaleW[first + row] as number;
          levels[row * LEVELS + 2] = neverNegative[first + row] === 1 ? 0 : -LARGEST_W;
        }
        kernels.decode(at.answers, rows, steps, QUANTILES.length, at.factors, at.levels, LARGEST_W, at.watts);
        for (let row = 0; row < rows; row++) room[first + row]?.watts.set(watts[row] as Float32Array);
      }
    },
  };
}
