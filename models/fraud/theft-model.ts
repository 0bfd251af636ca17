import { z } from 'zod';
import { SLOT_MINUTES } from '../../agent/domain/slot.js';
import type { SlotWindow } from '../window/slot-windows.js';
import {
  type Calibration,
  calibrateAgain,
  calibrated,
  calibrationFields,
  packCalibration,
  parseCalibration,
} from './calibration.js';
import { type DayModel, dayFileSchema, packDayModel, parseDayModel } from './day-model.js';
import { gatherEvidence, THEFT_FEATURES, writeTheftFeatures } from './features.js';
import { explainRow, type IsolationForest } from './forest/forest.js';
import { forestFileSchema, packForest, parseForest } from './forest/forest-file.js';
import type { Contribution, TheftScore } from './theft-score.js';

/** Scoring and wording are asked for together. */
export { describe } from './explanation.js';

/** The theft half of a bundle. */
export interface TheftModel {
  readonly forest: IsolationForest;
  /** What the forest's axes are, in their order. */
  readonly features: readonly string[];
  readonly calibration: Calibration;
  /** For meters with two months of history; a bundle that was trained on less has none. */
  readonly days?: DayModel;
}

interface ScoreOptions {
  /** The median that the forecaster gave for the newest slot before it was known; else the window's own past stands in. */
  readonly expectedMedianW?: number | undefined;
  /** Of the window's slots. */
  readonly slotMinutes?: number;
}

/** Scores the newest slot of a window. */
export function score(
  model: TheftModel,
  window: SlotWindow,
  { expectedMedianW, slotMinutes = SLOT_MINUTES }: ScoreOptions = {},
): TheftScore {
  const evidence = gatherEvidence(window, expectedMedianW);
  const row = new Float32Array(THEFT_FEATURES.length);
  writeTheftFeatures(row, 0, evidence);
  const savings = new Float64Array(THEFT_FEATURES.length);
  const raw = explainRow(model.forest, row, savings);
  return {
    raw,
    score: calibrated(model.calibration, raw),
    contributions: contributionsOf(model.features, row, savings),
    expectedWh: (evidence.expectedW * slotMinutes) / 60,
    actualWh: (evidence.actualW * slotMinutes) / 60,
    slotMinutes,
  };
}

/** Evidence that is zero is absent: its splits may have isolated the row, but nobody could act on it. */
function contributionsOf(features: readonly string[], row: Float32Array, savings: Float64Array): Contribution[] {
  const present = features.flatMap((feature, index) => {
    const saving = savings[index] as number;
    return saving > 0 && (row[index] as number) > 0 ? [{ feature, saving }] : [];
  });
  const total = savings.reduce((sum, saving) => sum + Math.max(saving, 0), 0);
  return present.map(({ feature, saving }) => ({ feature, share: saving / total })).sort((a, b) => b.share - a.share);
}

const theftFileSchema = z.strictObject({
  features: z.array(z.string().min(1).max(64)).min(1).max(255),
  ...calibrationFields,
  forest: forestFileSchema,
  days: dayFileSchema.optional(),
});

export function packTheftModel({ forest, features, calibration, days }: TheftModel): string {
  const whole = {
    features,
    ...packCalibration(calibration),
    forest: packForest(forest),
    ...(days === undefined ? {} : { days: packDayModel(days) }),
  };
  return `${JSON.stringify(whole)}\n`;
}

/** The model, or why the text holds none that this version can serve. */
export function parseTheftModel(json: unknown): TheftModel | { readonly reason: string } {
  const parsed = theftFileSchema.safeParse(json);
  if (!parsed.success) return { reason: z.prettifyError(parsed.error) };
  const { features, forest: file } = parsed.data;
  if (features.join() !== THEFT_FEATURES.join()) return { reason: `made for other features: ${features.join()}` };
  if (file.features !== features.length) return { reason: `a forest over ${file.features} features` };
  const calibration = parseCalibration(parsed.data);
  if (calibration === undefined) return { reason: 'the calibration does not rise' };
  const forest = parseForest(file);
  if ('reason' in forest) return forest;
  const model = { forest, features, calibration };
  if (parsed.data.days === undefined) return model;
  const days = parseDayModel(parsed.data.days);
  return 'reason' in days ? days : { ...model, days };
}

/**
 * The same model where 0.6 stands for an expected share of what it was trained on, of slots and of days, and no longer
 * for the rate that it was released with. Undefined for an older bundle, which does not tell where that would be.
 */
export function withContamination(model: TheftModel, share: number): TheftModel | undefined {
  const calibration = calibrateAgain(model.calibration, share);
  if (calibration === undefined) return undefined;
  if (model.days === undefined) return { ...model, calibration };
  const ofDays = calibrateAgain(model.days.calibration, share);
  return ofDays === undefined ? undefined : { ...model, calibration, days: { ...model.days, calibration: ofDays } };
}
