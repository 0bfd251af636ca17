import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { CALENDAR_SIZE, type UtcOffsetMs, writeCalendar } from '../window/calendar.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { type ForecastRow, HORIZONS, QUANTILES } from './horizons.js';

/** Raised by every change that makes the same window give other numbers; a bundle of another version is refused. */
export const FEATURE_VERSION = 1;

/** An empty flat must not blow up: its noise of a few watts counts as that, not as a pattern. */
const SCALE_FLOOR_W = 10;
/** Nor must a steady load, where the last digit is all that moves. */
const SCALE_FLOOR_SHARE = 0.02;
/** Longer gaps are filled with the window's centre: a straight line across half a day would be an invention. */
const INTERPOLATED_GAP_SLOTS = 12;
/** float32 ends here; beyond what a meter can mean, but a result is never infinite. */
const LARGEST_W = 3e38;

/** Windows as the network takes them, row by row, with what turns its answers back into watts. */
export interface Encoded {
  readonly rows: number;
  /** [rows, WINDOW_SLOTS], normalised, gaps filled. */
  readonly window: Float32Array;
  /** [rows, WINDOW_SLOTS], 1 = measured, 0 = filled. */
  readonly mask: Float32Array;
  /** [rows, CALENDAR_SIZE] at the window's end. */
  readonly calendar: Float32Array;
  readonly centreW: Float64Array;
  readonly scaleW: Float64Array;
  /** 1 where nothing measured was below zero: the forecast of such a meter is not negative either. */
  readonly neverNegative: Uint8Array;
}

/** The one way from slots to the network's inputs, in training and on the gateway. */
export function encode(windows: readonly SlotWindow[], utcOffsetMs?: UtcOffsetMs): Encoded {
  const rows = windows.length;
  const encoded: Encoded = {
    rows,
    window: new Float32Array(rows * WINDOW_SLOTS),
    mask: new Float32Array(rows * WINDOW_SLOTS),
    calendar: new Float32Array(rows * CALENDAR_SIZE),
    centreW: new Float64Array(rows),
    scaleW: new Float64Array(rows),
    neverNegative: new Uint8Array(rows),
  };
  for (const [row, window] of windows.entries()) {
    encodeRow(encoded, row, window.values);
    writeCalendar(encoded.calendar, row * CALENDAR_SIZE, window.endMs, utcOffsetMs);
  }
  return encoded;
}

function encodeRow(encoded: Encoded, row: number, values: Float32Array): void {
  const { centre, scale, min } = centreAndScale(values);
  encoded.centreW[row] = centre;
  encoded.scaleW[row] = scale;
  encoded.neverNegative[row] = min >= 0 ? 1 : 0;
  const { window, mask } = encoded;
  const base = row * WINDOW_SLOTS;
  let last = -1;
  for (let slot = 0; slot < WINDOW_SLOTS; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    window[base + slot] = (value - centre) / scale;
    mask[base + slot] = 1;
    if (last !== slot - 1) fillGap(window, base, last, slot);
    last = slot;
  }
  fillGap(window, base, last, WINDOW_SLOTS);
}

/** Fills what lies between two measured slots; -1 and WINDOW_SLOTS stand for the window's ends. */
function fillGap(window: Float32Array, base: number, before: number, after: number): void {
  const missing = after - before - 1;
  if (missing === 0 || missing > INTERPOLATED_GAP_SLOTS) return;
  if (before < 0 && after === WINDOW_SLOTS) return;
  const right = window[base + (after === WINDOW_SLOTS ? before : after)] as number;
  const left = before < 0 ? right : (window[base + before] as number);
  for (let step = 1; step <= missing; step++) {
    window[base + before + step] = left + ((right - left) * step) / (missing + 1);
  }
}

/**
 * Mean and mean absolute deviation: one spike in a day moves either by a few watts, and both come from two passes
 * without sorting.
 */
export function centreAndScale(values: Float32Array): { centre: number; scale: number; min: number } {
  let sum = 0;
  let count = 0;
  let min = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
    if (value < min) min = value;
  }
  if (count === 0) return { centre: 0, scale: SCALE_FLOOR_W, min: 0 };
  const centre = sum / count;
  let deviation = 0;
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (Number.isFinite(value)) deviation += Math.abs(value - centre);
  }
  const scale = Math.max(deviation / count, Math.abs(centre) * SCALE_FLOOR_SHARE, SCALE_FLOOR_W);
  return { centre, scale, min };
}

/** From the network's answers, [rows, steps, quantiles] normalised, to watts. */
export function decode(encoded: Encoded, quantiles: Float32Array): readonly ForecastRow[] {
  const width = HORIZONS.length * QUANTILES.length;
  return Array.from({ length: encoded.rows }, (_, row) => {
    const centre = encoded.centreW[row] as number;
    const scale = encoded.scaleW[row] as number;
    const lowest = encoded.neverNegative[row] === 1 ? 0 : -LARGEST_W;
    const watts = new Float32Array(width);
    for (let i = 0; i < width; i++) {
      const value = centre + scale * (quantiles[row * width + i] as number);
      watts[i] = Math.min(Math.max(Number.isNaN(value) ? centre : value, lowest), LARGEST_W);
    }
    return { watts };
  });
}
