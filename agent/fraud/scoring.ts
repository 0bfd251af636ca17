import type { Language } from '../../models/fraud/language.js';
import { describe, score, type TheftModel } from '../../models/fraud/theft-model.js';
import { knowsAtLeast, type SlotWindow } from '../../models/window/slot-windows.js';
import type { Anomaly } from '../domain/anomaly.js';
import type { EpochMs, MeterId } from '../domain/brand.js';
import { type SlotScore, WINDOW_SLOTS } from '../domain/slot.js';

export interface Scored {
  readonly score: SlotScore;
  /** Only where the score reaches the threshold. */
  readonly anomaly?: Anomaly;
}

export interface NewestSlot {
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  readonly window: SlotWindow;
  readonly expectedW: number | undefined;
}

export interface ScoringModel {
  readonly version: string;
  readonly theft: TheftModel;
  readonly manifest: { readonly slotMinutes: number };
}

/** What the settings say of anomalies. */
export interface Judgement {
  readonly threshold: number;
  /** Of their sentences. */
  readonly language: Language;
}

/** A day but for some gaps: to a meter whose first night has not passed yet, that night would look like a theft. */
export const LEAST_SLOTS = Math.ceil(WINDOW_SLOTS * 0.9);

/** Scores the newest slot of a window, which begins at `slotStartMs`; undefined while the meter's history is too short. */
export function scoreNewestSlot(
  { meter, slotStartMs, window, expectedW }: NewestSlot,
  model: ScoringModel,
  { threshold, language }: Judgement,
): Scored | undefined {
  if (!knowsAtLeast(window, LEAST_SLOTS)) return undefined;
  const scored = score(model.theft, window, {
    expectedMedianW: expectedW,
    slotMinutes: model.manifest.slotMinutes,
  });
  const common = { meter, slotStartMs, score: scored.score, rawScore: scored.raw, modelVersion: model.version };
  if (scored.score < threshold) return { score: common };
  const { expectedWh, actualWh, contributions } = scored;
  const described = describe(scored, window, language);
  return { score: common, anomaly: { ...common, ...described, expectedWh, actualWh, contributions } };
}
