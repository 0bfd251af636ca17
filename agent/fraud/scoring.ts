import { foundingTen, recorded } from '../../models/fraud/features/founding-ten.js';
import type { Language } from '../../models/fraud/language.js';
import { describe, score, type TheftModel } from '../../models/fraud/theft-model.js';
import { knowsAtLeast, type SlotWindow } from '../../models/window/slot-windows.js';
import type { Anomaly } from '../domain/anomaly.js';
import type { EpochMs, MeterId } from '../domain/brand.js';
import { DAY_MS, type SlotScore, WINDOW_SLOTS } from '../domain/slot.js';
import type { TimeZone } from '../domain/time-zone.js';

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

/** What the settings say of anomalies; plain enough for another thread. */
export interface JudgementSettings {
  readonly threshold: number;
  /** Of their sentences. */
  readonly language: Language;
  /** Of the hour and the weekday that are kept with an anomaly. */
  readonly timeZone: string;
}

/** The same, ready for use. */
export interface Judgement extends Pick<JudgementSettings, 'threshold' | 'language'> {
  readonly zone: TimeZone;
}

/** A day but for some gaps: to a meter whose first night has not passed yet, that night would look like a theft. */
export const LEAST_SLOTS = Math.ceil(WINDOW_SLOTS * 0.9);

const MINUTE_MS = 60_000;

/** Scores the newest slot of a window, which begins at `slotStartMs`; undefined while the meter's history is too short. */
export function scoreNewestSlot(
  slot: NewestSlot,
  model: ScoringModel,
  { threshold, language, zone }: Judgement,
): Scored | undefined {
  const { meter, slotStartMs, window, expectedW } = slot;
  if (!knowsAtLeast(window, LEAST_SLOTS)) return undefined;
  const scored = score(model.theft, window, {
    expectedMedianW: expectedW,
    slotMinutes: model.manifest.slotMinutes,
  });
  const common = { meter, slotStartMs, score: scored.score, rawScore: scored.raw, modelVersion: model.version };
  if (scored.score < threshold) return { score: common };
  const { expectedWh, actualWh, contributions } = scored;
  const described = describe(scored, window, language);
  const circumstances = circumstancesOf(slot, { slotMinutes: model.manifest.slotMinutes, zone });
  return { score: common, anomaly: { ...common, ...described, expectedWh, actualWh, contributions, circumstances } };
}

interface Local {
  readonly slotMinutes: number;
  readonly zone: TimeZone;
}

/** A gateway knows of no weather. */
function circumstancesOf({ slotStartMs, window }: NewestSlot, { slotMinutes, zone }: Local): Anomaly['circumstances'] {
  const slotsPerDay = DAY_MS / (slotMinutes * MINUTE_MS);
  const local = new Date(zone.localOf(slotStartMs));
  const calendar = { hour: local.getUTCHours(), weekday: (local.getUTCDay() + 6) % 7 };
  return recorded(foundingTen(window.values.subarray(-slotsPerDay), calendar));
}
