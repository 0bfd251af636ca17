import { z } from 'zod';
import { epochMs } from '../../agent/domain/brand.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { base64Of, float32From } from '../base64.js';
import { centreAndScale } from '../forecast/features.js';
import { type ForecastRow, QUANTILES } from '../forecast/horizons.js';
import { countPresent, type SlotWindow } from '../window/slot-windows.js';

/** What the bundle answered where it was made. */
export interface GoldenCase {
  readonly window: SlotWindow;
  readonly int8: Float32Array;
  readonly float32: Float32Array;
}

export interface Golden {
  readonly cases: readonly GoldenCase[];
}

/** int8 kernels round differently from one processor to the next; more than this is another model. */
const TOLERANCE = 0.01;

const packed = z.string().max(64 * 1024);
const goldenSchema = z.strictObject({
  cases: z
    .array(z.strictObject({ endMs: z.int().nonnegative(), values: packed, int8: packed, float32: packed }))
    .min(1)
    .max(64),
});

export function packGolden({ cases }: Golden): string {
  const packedCases = cases.map(({ window, int8, float32 }) => ({
    endMs: window.endMs,
    values: base64Of(window.values),
    int8: base64Of(int8),
    float32: base64Of(float32),
  }));
  return `${JSON.stringify({ cases: packedCases })}\n`;
}

/** `outputs` is how many numbers a forecast has. */
export function parseGolden(json: unknown, outputs: number): Golden | { readonly reason: string } {
  const parsed = goldenSchema.safeParse(json);
  if (!parsed.success) return { reason: z.prettifyError(parsed.error) };
  const cases = parsed.data.cases.map(({ endMs, values, int8, float32 }): GoldenCase => {
    const window = float32From(values);
    return {
      window: { endMs: epochMs(endMs), values: window, present: countPresent(window) },
      int8: float32From(int8),
      float32: float32From(float32),
    };
  });
  const whole = cases.every(
    ({ window, int8, float32 }) =>
      window.values.length === WINDOW_SLOTS && int8.length === outputs && float32.length === outputs,
  );
  return whole ? { cases } : { reason: 'a golden case has the wrong length' };
}

/** What can be asked for the golden cases: a forecaster. */
export interface Answering {
  readonly precision: 'int8' | 'float32';
  predict(windows: readonly SlotWindow[]): Promise<readonly ForecastRow[]>;
}

/** Throws `bundle.golden_mismatch` when this machine computes something else than the machine that trained. */
export async function checkGolden(bundle: { version: string; golden: Golden }, forecaster: Answering): Promise<void> {
  const { cases } = bundle.golden;
  const rows = await forecaster.predict(cases.map(({ window }) => window));
  for (const [index, made] of cases.entries()) {
    const difference = largestDifference(made[forecaster.precision], rows[index]);
    const allowed = TOLERANCE * spreadOf(made);
    if (difference <= allowed) continue;
    throw new WattwardenError(
      'bundle.golden_mismatch',
      `${bundle.version}, ${forecaster.precision}, case ${index + 1}: off by ${difference.toFixed(2)} W, allowed ${allowed.toFixed(2)} W`,
    );
  }
}

function largestDifference(expected: Float32Array, row: ForecastRow | undefined): number {
  if (row === undefined || row.watts.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((largest, watts, index) => {
    const difference = Math.abs(watts - (row.watts[index] as number));
    return Math.max(largest, difference);
  }, 0);
}

/** The window's scale, or the widest band when that is more: a wide band need not be hit to the watt. */
function spreadOf({ window, float32 }: GoldenCase): number {
  let widest = centreAndScale(window.values).scale;
  for (let low = 0; low < float32.length; low += QUANTILES.length) {
    const high = low + QUANTILES.length - 1;
    widest = Math.max(widest, (float32[high] as number) - (float32[low] as number));
  }
  return widest;
}
