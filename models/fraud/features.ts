import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { SLOTS_PER_HOUR } from '../forecast/horizons.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { centreAndScale } from '../window/window-scale.js';

/**
 * Evidence about the newest slot of a window, from the window alone: nothing later is looked at. Each counts in one
 * direction only and is in units of the window's own scale, so that neither a big customer nor an hour of the day is
 * an anomaly by itself.
 */
export const THEFT_FEATURES = ['shortfall', 'surge', 'below_floor', 'new_lows', 'new_zeros', 'new_flatness'] as const;

export type TheftFeature = (typeof THEFT_FEATURES)[number];

/** The past that the last hour is compared with ends so long before it: a theft must not become its own standard at once. */
const PAST_SLOTS = WINDOW_SLOTS - 6 * SLOTS_PER_HOUR;

/** What the features are made of, in figures that an inspector can check. */
export interface TheftEvidence {
  readonly actualW: number;
  readonly expectedW: number;
  readonly lastHourW: number;
  /** The hour that begins at the same time yesterday. */
  readonly yesterdayW: number;
  /** Lowest and highest hour of the past. */
  readonly floorW: number;
  readonly ceilingW: number;
  readonly scaleW: number;
  /** Shares, 0..1, in the last hour and in the past. */
  readonly zeros: { readonly lastHour: number; readonly before: number };
  /** Share of the last hour's slots that lie below every slot of the past. */
  readonly newLows: number;
  readonly flat: { readonly lastHour: number; readonly before: number };
}

/** The largest value of each feature: beyond it, more of the same says nothing more. */
export const THEFT_LIMITS: Readonly<Record<TheftFeature, number>> = {
  shortfall: 8,
  surge: 4,
  below_floor: 4,
  new_lows: 1,
  new_zeros: 1,
  new_flatness: 1,
};

/** Keeps ratios of small powers finite and unexcited. */
const RATIO_FLOOR_W = 10;
/** A meter that measures nothing shows noise of its own. */
const ZERO_W = 1;
/** Two slots that differ by less are the same, as a share of their size. */
const SAME_SHARE = 0.002;
/** How the window's own past stands in when there is no forecast: it is the linear path's first guess. */
const TRUST_IN_LAST_HOUR = 0.7;

export function gatherEvidence({ values }: SlotWindow, expectedMedianW?: number): TheftEvidence {
  const { centre, scale } = centreAndScale(values);
  const newest = WINDOW_SLOTS - 1;
  const hourAgo = WINDOW_SLOTS - SLOTS_PER_HOUR;
  const actualW = orElse(values[newest] as number, centre);
  const yesterdayW = meanOf(values, 0, SLOTS_PER_HOUR, centre);
  const previousHourW = meanOf(values, hourAgo - 1, newest, centre);
  const fallbackW = TRUST_IN_LAST_HOUR * previousHourW + (1 - TRUST_IN_LAST_HOUR) * yesterdayW;
  return {
    actualW,
    expectedW: orElse(expectedMedianW ?? Number.NaN, fallbackW),
    lastHourW: meanOf(values, hourAgo, WINDOW_SLOTS, centre),
    yesterdayW,
    ...hourlyEnds(values, PAST_SLOTS, centre),
    scaleW: scale,
    zeros: { lastHour: zeroShare(values, hourAgo, WINDOW_SLOTS), before: zeroShare(values, 0, PAST_SLOTS) },
    newLows: shareBelow(values, hourAgo, lowestOf(values, PAST_SLOTS)),
    flat: { lastHour: flatShare(values, hourAgo, WINDOW_SLOTS), before: flatShare(values, 0, PAST_SLOTS) },
  };
}

/** Writes THEFT_FEATURES at `offset`. */
export function writeTheftFeatures(out: Float32Array, offset: number, evidence: TheftEvidence): void {
  const { actualW, expectedW, lastHourW, yesterdayW, floorW, ceilingW, scaleW, zeros, flat } = evidence;
  const values: Readonly<Record<TheftFeature, number>> = {
    // Appliances come and go within an hour, and habits shift from day to day: only what both disagree with counts.
    shortfall: Math.min(expectedW - actualW, yesterdayW - lastHourW) / scaleW,
    surge: actualW > expectedW ? logRatio(lastHourW, ceilingW) : 0,
    below_floor: logRatio(floorW, lastHourW),
    new_lows: evidence.newLows,
    new_zeros: zeros.lastHour - zeros.before,
    new_flatness: flat.lastHour - flat.before,
  };
  for (const [index, feature] of THEFT_FEATURES.entries()) {
    out[offset + index] = Math.min(Math.max(values[feature], 0), THEFT_LIMITS[feature]);
  }
}

const logRatio = (above: number, below: number): number =>
  Math.log(Math.max(above, 0) + RATIO_FLOOR_W) - Math.log(Math.max(below, 0) + RATIO_FLOOR_W);
const orElse = (value: number, other: number): number => (Number.isFinite(value) ? value : other);

function meanOf(values: Float32Array, from: number, to: number, otherwise: number): number {
  let sum = 0;
  let count = 0;
  for (let slot = from; slot < to; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? otherwise : sum / count;
}

/** Of the hours up to `to`. */
function hourlyEnds(values: Float32Array, to: number, otherwise: number): { floorW: number; ceilingW: number } {
  let floorW = Number.POSITIVE_INFINITY;
  let ceilingW = Number.NEGATIVE_INFINITY;
  for (let end = to; end >= SLOTS_PER_HOUR; end -= SLOTS_PER_HOUR) {
    const mean = meanOf(values, end - SLOTS_PER_HOUR, end, Number.NaN);
    if (mean < floorW) floorW = mean;
    if (mean > ceilingW) ceilingW = mean;
  }
  return Number.isFinite(floorW) ? { floorW, ceilingW } : { floorW: otherwise, ceilingW: otherwise };
}

function lowestOf(values: Float32Array, to: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < to; slot++) {
    const value = values[slot] as number;
    if (value < lowest) lowest = value;
  }
  return Number.isFinite(lowest) ? lowest : Number.NEGATIVE_INFINITY;
}

function shareBelow(values: Float32Array, from: number, limit: number): number {
  let below = 0;
  let count = 0;
  for (let slot = from; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    count += 1;
    if (value < limit) below += 1;
  }
  return count === 0 ? 0 : below / count;
}

function zeroShare(values: Float32Array, from: number, to: number): number {
  let zeros = 0;
  let count = 0;
  for (let slot = from; slot < to; slot++) {
    const value = values[slot] as number;
    if (!Number.isFinite(value)) continue;
    count += 1;
    if (Math.abs(value) < ZERO_W) zeros += 1;
  }
  return count === 0 ? 0 : zeros / count;
}

/** Share of neighbouring slots that are the same but not zero. */
function flatShare(values: Float32Array, from: number, to: number): number {
  let same = 0;
  let count = 0;
  for (let slot = from + 1; slot < to; slot++) {
    const before = values[slot - 1] as number;
    const value = values[slot] as number;
    if (!Number.isFinite(before) || !Number.isFinite(value)) continue;
    count += 1;
    if (Math.abs(value) >= ZERO_W && Math.abs(value - before) <= SAME_SHARE * Math.abs(value)) same += 1;
  }
  return count === 0 ? 0 : same / count;
}
