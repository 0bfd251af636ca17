import type { AnomalyType } from '../../agent/domain/anomaly.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { gatherEvidence, type TheftFeature } from './features.js';
import type { Language } from './language.js';
import { slotSentence } from './slot-sentence.js';
import type { TheftScore } from './theft-score.js';

export interface Description {
  readonly type: AnomalyType;
  /** Plain words with figures and units. */
  readonly sentence: string;
}

const SPEAKS_FOR: Readonly<Record<TheftFeature, AnomalyType>> = {
  shortfall: 'low_consumption',
  below_floor: 'low_consumption',
  new_lows: 'low_consumption',
  new_zeros: 'low_consumption',
  surge: 'high_consumption',
  new_flatness: 'unusual_pattern',
};

/** One kind of evidence must carry this share of the explained score to name the anomaly. */
const MAJORITY = 0.5;

export function describe(scored: TheftScore, window: SlotWindow, language: Language): Description {
  const type = typeOf(scored);
  return { type, sentence: slotSentence(type, scored, { evidence: gatherEvidence(window), language }) };
}

function typeOf({ contributions }: TheftScore): AnomalyType {
  const total = contributions.reduce((sum, { share }) => sum + share, 0);
  const shareOf = (type: AnomalyType) =>
    contributions.reduce((sum, { feature, share }) => (speaksFor(feature) === type ? sum + share : sum), 0);
  for (const type of ['low_consumption', 'high_consumption'] as const) {
    if (shareOf(type) > MAJORITY * total) return type;
  }
  return 'unusual_pattern';
}

function speaksFor(feature: string): AnomalyType {
  return Object.hasOwn(SPEAKS_FOR, feature) ? SPEAKS_FOR[feature as TheftFeature] : 'unusual_pattern';
}
