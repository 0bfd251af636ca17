import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { reachOf } from '../horizons.js';
import { solveSymmetric } from '../least-squares.js';
import type { SeriesHistory } from '../series-history.js';
import type { PointForecast } from './baseline.js';

/** Shares of the mean diagonal; which one serves a meter best is found on the end of its training part. */
const PENALTIES = [1e-4, 1e-3, 1e-2, 1e-1];
const TUNING_SHARE = 0.15;

/** A linear forecast from the last 288 values of the meter itself, one for each coming slot. */
export function fitRidge(history: SeriesHistory, testFrom: number): PointForecast {
  const { horizons } = history.shape;
  const reach = reachOf(horizons);
  const { filled, mean } = fill(history.series.powerW, testFrom);
  const tuneFrom = Math.max(Math.floor(testFrom * (1 - TUNING_SHARE)), WINDOW_SLOTS + reach + 1);
  if (testFrom - tuneFrom < 1) return (_, out) => out.fill(Number.NaN);
  const early = laggedProducts(filled, { until: tuneFrom, reach });
  const errors = PENALTIES.map((penalty) =>
    errorOf(solve(early, { penalty, reach: 1 }), { filled, from: tuneFrom, until: testFrom }),
  );
  const penalty = PENALTIES[errors.indexOf(Math.min(...errors))] ?? 1e-2;
  const weights = solve(laggedProducts(filled, { until: testFrom, reach }), { penalty, reach });
  const slots = new Float64Array(reach);
  return (origin, out) => {
    forecastSlots(weights, { filled, origin, slots });
    for (const [step, { offset, slots: length }] of horizons.entries()) {
      let sum = 0;
      for (let slot = offset; slot < offset + length; slot++) sum += slots[slot] as number;
      out[step] = sum / length + mean;
    }
  };
}

/** Around the mean of the training part; what is missing is what came before it. */
function fill(powerW: Float32Array, testFrom: number): { filled: Float64Array; mean: number } {
  const known = powerW.subarray(0, testFrom).filter((value) => Number.isFinite(value));
  const mean = known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length;
  let last = 0;
  const filled = Float64Array.from(powerW, (value) => {
    if (Number.isFinite(value)) last = value - mean;
    return last;
  });
  return { filled, mean };
}

/**
 * Σ z zᵀ over every stretch z of window and reach before `until`. Down a diagonal the sums differ by one product at
 * either end, so that this takes as long as one row of it.
 */
function laggedProducts(filled: Float64Array, { until, reach }: { until: number; reach: number }): Float64Array {
  const size = WINDOW_SLOTS + reach;
  const stretches = until - size + 1;
  const products = new Float64Array(size * size);
  for (let lag = 0; lag < size; lag++) {
    let sum = 0;
    for (let at = 0; at < stretches; at++) sum += (filled[at] as number) * (filled[at + lag] as number);
    for (let i = 0; i + lag < size; i++) {
      products[i * size + i + lag] = sum;
      products[(i + lag) * size + i] = sum;
      const leaves = (filled[i] as number) * (filled[i + lag] as number);
      sum += (filled[i + stretches] as number) * (filled[i + stretches + lag] as number) - leaves;
    }
  }
  return products;
}

function solve(products: Float64Array, { penalty, reach }: { penalty: number; reach: number }): Float64Array {
  const size = Math.sqrt(products.length);
  const gram = new Float64Array(WINDOW_SLOTS * WINDOW_SLOTS);
  const moments = new Float64Array(WINDOW_SLOTS * reach);
  let trace = 0;
  for (let i = 0; i < WINDOW_SLOTS; i++) {
    gram.set(products.subarray(i * size, i * size + WINDOW_SLOTS), i * WINDOW_SLOTS);
    moments.set(products.subarray(i * size + WINDOW_SLOTS, i * size + WINDOW_SLOTS + reach), i * reach);
    trace += products[i * size + i] as number;
  }
  return solveSymmetric(gram, moments, { outputs: reach, penalty: (penalty * trace) / WINDOW_SLOTS, spared: 0 });
}

function forecastSlots(
  weights: Float64Array,
  { filled, origin, slots }: { filled: Float64Array; origin: number; slots: Float64Array },
): void {
  const reach = weights.length / WINDOW_SLOTS;
  slots.fill(0);
  for (let i = 0; i < WINDOW_SLOTS; i++) {
    const value = filled[origin - WINDOW_SLOTS + i] ?? 0;
    for (let slot = 0; slot < reach; slot++) {
      slots[slot] = (slots[slot] as number) + value * (weights[i * reach + slot] as number);
    }
  }
}

function errorOf(
  weights: Float64Array,
  { filled, from, until }: { filled: Float64Array; from: number; until: number },
): number {
  let sum = 0;
  for (let origin = from; origin < until; origin++) {
    let forecast = 0;
    for (let i = 0; i < WINDOW_SLOTS; i++)
      forecast += (filled[origin - WINDOW_SLOTS + i] as number) * (weights[i] as number);
    sum += Math.abs((filled[origin] as number) - forecast);
  }
  return sum / (until - from);
}
