import type { EpochMs } from '../../agent/domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { type ForecastRow, HORIZONS, wattsAt } from './horizons.js';
import { actualsAt, createSource, type Sample, type SampleSource, windowAt } from './samples.js';

export interface HorizonScore {
  /** Mean over meters of per-meter mean absolute error, W. */
  readonly model: number;
  readonly persistence: number;
  readonly seasonalDay: number;
  /** Share of actuals inside the band that should hold 90 %. */
  readonly coverage90: number;
}

export interface ForecastScores {
  readonly meters: number;
  readonly windows: number;
  readonly maeW: Readonly<Record<string, HorizonScore>>;
}

export interface EvaluationOptions {
  readonly series: readonly MeterSeries[];
  /** Only what comes at or after this moment is forecast; what lies before it is only looked at. */
  readonly fromMs: EpochMs;
  predict(windows: readonly SlotWindow[]): Promise<readonly ForecastRow[]>;
}

/** A prime, so that the tests of a meter stand at every minute of the hour in turn. */
const STRIDE_SLOTS = 7;
/** Per meter: enough for a stable mean, and a long file is walked in bigger steps. */
const MOST_ORIGINS = 500;

const GROUPS: readonly { readonly name: string; readonly steps: readonly number[] }[] = [
  { name: '1', steps: [0] },
  { name: '1-12', steps: stepsWhere((slots) => slots === 1) },
  { name: '24h', steps: stepsWhere((slots) => slots > 1) },
];

function stepsWhere(fits: (slots: number) => boolean): number[] {
  return HORIZONS.flatMap(({ slots }, step) => (fits(slots) ? [step] : []));
}

/** The model beside the two baselines, each scored on exactly the same slots. */
export async function evaluateForecasts({ series, fromMs, predict }: EvaluationOptions): Promise<ForecastScores> {
  const totals = GROUPS.map(() => createTotals());
  let windows = 0;
  let meters = 0;
  for (const source of series.map(createSource)) {
    const samples = testSamples(source, fromMs);
    if (samples.length === 0) continue;
    const rows = await predict(samples.map(({ origin }) => windowAt({ series: source.series, origin })));
    const scored = GROUPS.map(({ steps }, group) => totals[group]?.addMeter(scoreMeter(samples, rows, steps)));
    windows += samples.length;
    if (scored.some((added) => added === true)) meters += 1;
  }
  const maeW = Object.fromEntries(GROUPS.map(({ name }, group) => [name, totals[group]?.means() ?? EMPTY]));
  return { meters, windows, maeW };
}

function testSamples(source: SampleSource, fromMs: EpochMs): Sample[] {
  const eligible = source.origins.filter((origin) => source.series.startMs + origin * SLOT_MS >= fromMs);
  const stride = Math.max(STRIDE_SLOTS, Math.ceil(eligible.length / MOST_ORIGINS));
  return Array.from(
    eligible.filter((_, index) => index % stride === 0),
    (origin) => ({ source, origin }),
  );
}

interface MeterErrors {
  count: number;
  model: number;
  persistence: number;
  seasonalDay: number;
  covered: number;
}

function scoreMeter(samples: readonly Sample[], rows: readonly ForecastRow[], steps: readonly number[]): MeterErrors {
  const errors: MeterErrors = { count: 0, model: 0, persistence: 0, seasonalDay: 0, covered: 0 };
  const actuals = new Float64Array(HORIZONS.length);
  const yesterdays = new Float64Array(HORIZONS.length);
  for (const [index, sample] of samples.entries()) {
    const row = rows[index];
    if (row === undefined) continue;
    actualsAt(sample, actuals);
    actualsAt({ source: sample.source, origin: sample.origin - WINDOW_SLOTS }, yesterdays);
    const last = sample.source.series.powerW[sample.origin - 1] as number;
    for (const step of steps) {
      const actual = actuals[step] as number;
      const yesterday = yesterdays[step] as number;
      if (Number.isNaN(actual + yesterday + last)) continue;
      errors.count += 1;
      errors.model += Math.abs(actual - wattsAt(row, step, 1));
      errors.persistence += Math.abs(actual - last);
      errors.seasonalDay += Math.abs(actual - yesterday);
      if (actual >= wattsAt(row, step, 0) && actual <= wattsAt(row, step, 2)) errors.covered += 1;
    }
  }
  return errors;
}

const EMPTY: HorizonScore = { model: 0, persistence: 0, seasonalDay: 0, coverage90: 0 };

function createTotals() {
  const sums = { model: 0, persistence: 0, seasonalDay: 0, coverage90: 0 };
  let meters = 0;
  return {
    addMeter({ count, model, persistence, seasonalDay, covered }: MeterErrors): boolean {
      if (count === 0) return false;
      meters += 1;
      sums.model += model / count;
      sums.persistence += persistence / count;
      sums.seasonalDay += seasonalDay / count;
      sums.coverage90 += covered / count;
      return true;
    },
    means(): HorizonScore {
      if (meters === 0) return EMPTY;
      const { model, persistence, seasonalDay, coverage90 } = sums;
      return {
        model: model / meters,
        persistence: persistence / meters,
        seasonalDay: seasonalDay / meters,
        coverage90: coverage90 / meters,
      };
    },
  };
}
