import { z } from 'zod';
import { epochMs } from '../../agent/domain/brand.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { History } from '../forecast/history.js';
import { type ForecastRow, HIGH, LOW, QUANTILES } from '../forecast/horizons.js';
import { pack, packedSchema, unpack } from '../packed.js';
import { centreAndScale } from '../window/window-scale.js';

/** What the bundle answered where it was made. */
export interface GoldenCase {
  readonly history: History;
  readonly int8: Float32Array;
  readonly float32: Float32Array;
}

export interface Golden {
  readonly cases: readonly GoldenCase[];
}

/** int8 kernels round differently from one processor to the next; more than this is another model. */
const TOLERANCE = 0.01;

const goldenSchema = z.strictObject({
  cases: z
    .array(
      z.strictObject({
        endMs: z.int().nonnegative(),
        values: packedSchema,
        past: packedSchema.optional(),
        profileMedian: packedSchema.optional(),
        profileSpread: packedSchema.optional(),
        int8: packedSchema,
        float32: packedSchema,
      }),
    )
    .min(1)
    .max(64),
});

export function packGolden({ cases }: Golden): string {
  const packedCases = cases.map(({ history: { window, past, profileMedian, profileSpread }, int8, float32 }) => ({
    endMs: window.endMs,
    values: pack(window.values),
    ...(past === undefined ? {} : { past: pack(past) }),
    ...(profileMedian === undefined ? {} : { profileMedian: pack(profileMedian) }),
    ...(profileSpread === undefined ? {} : { profileSpread: pack(profileSpread) }),
    int8: pack(int8),
    float32: pack(float32),
  }));
  return `${JSON.stringify({ cases: packedCases })}\n`;
}

/** What a history becomes in the file: the answers must be to that. */
export function asPacked({ window, past, profileMedian, profileSpread }: History): History {
  const through = (values: Float32Array | undefined) => (values === undefined ? undefined : unpack(pack(values)));
  return {
    window: { ...window, values: unpack(pack(window.values)) },
    past: through(past),
    profileMedian: through(profileMedian),
    profileSpread: through(profileSpread),
  };
}

/** `outputs` is how many numbers a forecast has. */
export function parseGolden(json: unknown, outputs: number): Golden | { readonly reason: string } {
  const parsed = goldenSchema.safeParse(json);
  if (!parsed.success) return { reason: z.prettifyError(parsed.error) };
  const cases = parsed.data.cases.map(({ endMs, values, int8, float32, ...seasons }): GoldenCase => {
    const window = unpack(values);
    const known = (packed: typeof seasons.past) => (packed === undefined ? undefined : unpack(packed));
    return {
      history: {
        window: { endMs: epochMs(endMs), values: window },
        past: known(seasons.past),
        profileMedian: known(seasons.profileMedian),
        profileSpread: known(seasons.profileSpread),
      },
      int8: unpack(int8),
      float32: unpack(float32),
    };
  });
  const whole = cases.every(
    ({ history, int8, float32 }) =>
      history.window.values.length === WINDOW_SLOTS && int8.length === outputs && float32.length === outputs,
  );
  return whole ? { cases } : { reason: 'a golden case has the wrong length' };
}

/** What can be asked for the golden cases: a forecaster. */
export interface Answering {
  readonly precision: 'int8' | 'float32';
  predict(histories: readonly History[]): Promise<readonly ForecastRow[]>;
}

/** Throws `bundle.golden_mismatch` when this machine computes something else than the machine that trained. */
export async function checkGolden(bundle: { version: string; golden: Golden }, forecaster: Answering): Promise<void> {
  const { cases } = bundle.golden;
  const rows = await forecaster.predict(cases.map(({ history }) => history));
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
function spreadOf({ history, float32 }: GoldenCase): number {
  let widest = centreAndScale(history.window.values).scale;
  for (let at = 0; at < float32.length; at += QUANTILES.length) {
    widest = Math.max(widest, (float32[at + HIGH] as number) - (float32[at + LOW] as number));
  }
  return widest;
}
