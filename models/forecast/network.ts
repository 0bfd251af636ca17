import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { ANALOGS } from './analogs.js';
import { CONTEXT_SIZE, type Encoded, PATCH_SLOTS, PATCHES, SEASONS } from './features.js';
import { type Horizon, QUANTILES, slotsPerDay } from './horizons.js';

/**
 * The network, described once for training (train/layers.ts) and for export (../onnx/export.ts):
 *
 *   linear = mix(newest slots, those around this time yesterday, means of the patches, next seasons, analogs) + Σ seasons × weight of each step
 *   hidden = silu(dense(context, newest slots, lstm(patches), next seasons, seasons and spread by parts of the day, analogs))
 *   blend  = silu(each step's own seasons and spread, moved by hidden), the same for all steps but for its bias
 *   median = linear + correct(hidden) + mix of blend
 *   bands  = median ± running sums of softplus(increments(narrow(hidden)))
 *
 * `correct`, `mixed` and `increments` start at zero, so that training starts at the linear forecast and can only improve on it.
 */
export const LSTM_UNITS = 16;
/** Compressed slots of a patch and the share of them that was measured. */
export const PATCH_SIZE = PATCH_SLOTS + 1;
/** The newest slots as the dense layer sees them one by one. */
export const NEWEST_SLOTS = 48;
/** Steps whose seasons stand one by one, and parts of the day to come of which there is a mean. */
export const NEAR_STEPS = 6;
export const DAY_PARTS = 12;
export const HIDDEN = 64;
/** In how many ways the seasons of one step are weighed against each other: where they differ, neither mean is the median. */
export const BLENDS = 16;
/** Compressed seasons and spread of one step. */
export const BLENDED = SEASONS + 1;
/** How wide a band is depends on less than where it lies. */
export const NARROW = 12;
export const INCREMENTS = QUANTILES.length - 1;
/** In scales, of one step between two quantiles; from 88 on an exponential is infinite. */
export const LARGEST_WIDTH = 80;
/** softplus(x + this): the bands start narrow, at 0.4 of a scale each. */
export const INCREMENT_START = -0.7;
/**
 * x / (1 + |x| / this): a wild slot stays within bounds. The LSTM quantises its inputs by their range over the whole
 * batch, and one meter must not blur the others.
 */
export const COMPRESSION = 4;

export const LINEAR_SIZE = 2 * PATCH_SLOTS + PATCHES + SEASONS * NEAR_STEPS + ANALOGS;
export const DENSE_SIZE =
  CONTEXT_SIZE + NEWEST_SLOTS + LSTM_UNITS + SEASONS * NEAR_STEPS + (SEASONS + 1) * DAY_PARTS + ANALOGS;
const GATES = 4;

/** Matrices row by row as [inputs, outputs]; the LSTM's outputs are four gates in the order i, f, c, o. */
export interface NetworkWeights {
  readonly linear: Float32Array;
  readonly linearBias: Float32Array;
  /** [SEASONS, steps] */
  readonly seasons: Float32Array;
  readonly lstm: Float32Array;
  readonly recurrent: Float32Array;
  readonly lstmBias: Float32Array;
  readonly dense: Float32Array;
  readonly denseBias: Float32Array;
  readonly correct: Float32Array;
  readonly correctBias: Float32Array;
  readonly blend: Float32Array;
  readonly blendHidden: Float32Array;
  /** [steps, BLENDS] */
  readonly blendBias: Float32Array;
  readonly mixed: Float32Array;
  readonly narrow: Float32Array;
  readonly narrowBias: Float32Array;
  /** [NARROW, INCREMENTS × steps], all steps of one increment side by side: downwards from the median, then upwards. */
  readonly increments: Float32Array;
  readonly incrementsBias: Float32Array;
}

export type WeightName = keyof NetworkWeights;

/** How the LSTM's weights stand in a file. */
export type Precision = 'int8' | 'float32';

/** A network that can be asked. */
export interface Network {
  /** Where its inputs stand, if it has a place for them: what is encoded into it need not be copied. One at a time may. */
  readonly room?: Encoded;
  /** Normalised quantiles of the first `rows` rows, [rows, QUANTILES, steps]; written over by the next run. */
  run(encoded: Encoded, rows?: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The shape of every array of a network with so many steps; the order is that of files. */
export const weightShapes = (steps: number): Readonly<Record<WeightName, readonly number[]>> => ({
  linear: [LINEAR_SIZE, steps],
  linearBias: [steps],
  seasons: [SEASONS, steps],
  lstm: [PATCH_SIZE, GATES * LSTM_UNITS],
  recurrent: [LSTM_UNITS, GATES * LSTM_UNITS],
  lstmBias: [GATES * LSTM_UNITS],
  dense: [DENSE_SIZE, HIDDEN],
  denseBias: [HIDDEN],
  correct: [HIDDEN, steps],
  correctBias: [steps],
  blend: [BLENDED, BLENDS],
  blendHidden: [HIDDEN, BLENDS],
  blendBias: [steps, BLENDS],
  mixed: [BLENDS],
  narrow: [HIDDEN, NARROW],
  narrowBias: [NARROW],
  increments: [NARROW, INCREMENTS * steps],
  incrementsBias: [INCREMENTS * steps],
});

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export const parameterCount = (weights: NetworkWeights): number =>
  Object.values(weights).reduce((sum: number, array: Float32Array) => sum + array.length, 0);

export function mapWeights(steps: number, make: (name: WeightName, shape: readonly number[]) => Float32Array) {
  const entries = Object.entries(weightShapes(steps)).map(([name, shape]) => [name, make(name as WeightName, shape)]);
  return Object.fromEntries(entries) as unknown as NetworkWeights;
}

/**
 * First and last slot, not included, of a patch around the window's end a day before it: how the load went on from here
 * yesterday. A window of a single day has what came after alone.
 */
export function aroundYesterday(slotMinutes: number): readonly [from: number, to: number] {
  const from = Math.max(WINDOW_SLOTS - slotsPerDay(slotMinutes) - PATCH_SLOTS / 2, 0);
  return [from, from + PATCH_SLOTS];
}

/**
 * [steps, DAY_PARTS]: multiplied with something of each step, the mean of each part of the coming day. Where a span
 * and single slots speak of the same hour, the span speaks.
 */
export function dayPartMatrix(horizons: readonly Horizon[]): Float32Array {
  const longest = Math.max(...horizons.map(({ slots }) => slots));
  const reach = Math.max(...horizons.map(({ offset, slots }) => offset + slots));
  const matrix = new Float32Array(horizons.length * DAY_PARTS);
  const counts = new Float32Array(DAY_PARTS);
  const parts = horizons.map(({ offset, slots }) =>
    slots === longest ? Math.min(Math.floor((offset * DAY_PARTS) / reach), DAY_PARTS - 1) : -1,
  );
  for (const part of parts) if (part >= 0) counts[part] = (counts[part] as number) + 1;
  for (const [step, part] of parts.entries()) {
    if (part >= 0) matrix[step * DAY_PARTS + part] = 1 / (counts[part] as number);
  }
  return matrix;
}
