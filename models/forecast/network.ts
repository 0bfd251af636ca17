import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { CALENDAR_SIZE } from '../window/calendar.js';
import type { Encoded } from './features.js';
import { HORIZONS, QUANTILES } from './horizons.js';

/**
 * The network, described once for training (train/layers.ts) and for export (../onnx/export.ts):
 *
 *   median = linear(first hour, last hour, hourly means) + head(tanh(dense(lstm(patches), calendar)))
 *   edges  = median minus and plus softplus(head)
 *
 * The head starts at zero, so that training starts at the linear mix below and can only improve on it.
 */
export const PATCH_SLOTS = 12;
export const PATCHES = WINDOW_SLOTS / PATCH_SLOTS;
/** The slots of a patch and the share of them that was measured. */
export const PATCH_SIZE = PATCH_SLOTS + 1;
/** The LSTM quantises its inputs by their range over the whole batch: one wild meter must not blur the others. */
export const PATCH_LIMIT = 5;
/** First patch (the next hour, yesterday), last patch, mean of every patch. */
export const LINEAR_SIZE = 2 * PATCH_SLOTS + PATCHES;
export const LSTM_UNITS = 16;
export const DENSE_UNITS = 24;
export const STEPS = HORIZONS.length;
/** Median correction, then the increments downwards, then upwards. */
export const HEAD_SIZE = STEPS * QUANTILES.length;

/** Matrices row by row as [inputs, outputs]; the LSTM's outputs are four gates in the order i, f, c, o. */
export interface Layer {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

export interface NetworkWeights {
  readonly linear: Layer;
  readonly lstm: Layer & { readonly recurrent: Float32Array };
  readonly dense: Layer;
  readonly head: Layer;
}

export function parameterCount({ linear, lstm, dense, head }: NetworkWeights): number {
  const arrays = [lstm.recurrent, ...[linear, lstm, dense, head].flatMap(({ kernel, bias }) => [kernel, bias])];
  return arrays.reduce((sum, array) => sum + array.length, 0);
}

/** What the layers take; the exported graph does the same with its own first nodes. */
export interface Pooled {
  /** [rows, PATCHES, PATCH_SIZE] */
  readonly patches: Float32Array;
  /** [rows, LINEAR_SIZE] */
  readonly linear: Float32Array;
  /** [rows, CALENDAR_SIZE] */
  readonly calendar: Float32Array;
}

export function pool({ rows, window, mask, calendar }: Encoded): Pooled {
  const patches = new Float32Array(rows * PATCHES * PATCH_SIZE);
  const linear = new Float32Array(rows * LINEAR_SIZE);
  for (let row = 0; row < rows; row++) {
    const base = row * WINDOW_SLOTS;
    const mix = row * LINEAR_SIZE;
    linear.set(window.subarray(base, base + PATCH_SLOTS), mix);
    linear.set(window.subarray(base + WINDOW_SLOTS - PATCH_SLOTS, base + WINDOW_SLOTS), mix + PATCH_SLOTS);
    for (let patch = 0; patch < PATCHES; patch++) {
      const from = base + patch * PATCH_SLOTS;
      const to = (row * PATCHES + patch) * PATCH_SIZE;
      let sum = 0;
      let measured = 0;
      for (let slot = 0; slot < PATCH_SLOTS; slot++) {
        const value = window[from + slot] as number;
        sum += value;
        measured += mask[from + slot] as number;
        patches[to + slot] = Math.min(Math.max(value, -PATCH_LIMIT), PATCH_LIMIT);
      }
      patches[to + PATCH_SLOTS] = measured / PATCH_SLOTS;
      linear[mix + 2 * PATCH_SLOTS + patch] = sum / PATCH_SLOTS;
    }
  }
  return { patches, linear, calendar };
}

/**
 * Where the linear path starts: the near future is mostly the last value, the far future mostly the same hour
 * yesterday, and what is missing to one is trust in the window's mean.
 */
export function initialLinear(): Layer {
  const kernel = new Float32Array(LINEAR_SIZE * STEPS);
  const add = (input: number, step: number, weight: number) => {
    kernel[input * STEPS + step] = (kernel[input * STEPS + step] as number) + weight;
  };
  const lastSlot = 2 * PATCH_SLOTS - 1;
  const hours = 2 * PATCH_SLOTS;
  for (const [step, { offset, slots }] of HORIZONS.entries()) {
    const hour = offset / PATCH_SLOTS;
    if (slots === 1) {
      add(lastSlot, step, 0.6 - 0.03 * offset);
      add(hours + PATCHES - 1, step, 0.15);
      add(offset, step, 0.15);
    } else {
      add(hours + PATCHES - 1, step, 0.4 * Math.exp(-hour / 3));
      add(hours + hour, step, 0.5);
    }
  }
  return { kernel, bias: new Float32Array(STEPS) };
}

export const LAYER_SIZES = {
  linear: [LINEAR_SIZE, STEPS],
  lstm: [PATCH_SIZE, 4 * LSTM_UNITS],
  dense: [LSTM_UNITS + CALENDAR_SIZE, DENSE_UNITS],
  head: [DENSE_UNITS, HEAD_SIZE],
} as const;
