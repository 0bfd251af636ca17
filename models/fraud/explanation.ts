import type { AnomalyType } from '../../agent/domain/anomaly.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { SLOTS_PER_HOUR } from '../forecast/horizons.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { gatherEvidence, type TheftEvidence, type TheftFeature } from './features.js';
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
const MINUTES_PER_DAY = 1_440;

export function describe(scored: TheftScore, window: SlotWindow): Description {
  const type = typeOf(scored);
  return { type, sentence: sentenceOf(type, scored, gatherEvidence(window)) };
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

function sentenceOf(type: AnomalyType, scored: TheftScore, evidence: TheftEvidence): string {
  const { contributions, expectedWh, actualWh } = scored;
  const { lastHourW, yesterdayW, floorW, zeros, flat } = evidence;
  const { slot, lastHour, hourBefore, past } = spansOf(scored.slotMinutes);
  const energy = `${figure(actualWh)} Wh in ${slot} where ${figure(expectedWh)} Wh were expected`;
  const hour = `the last ${lastHour} averaged ${watts(lastHourW)}, ${hourBefore} ${watts(yesterdayW)}`;
  const strongest = contributions[0]?.feature;
  if (strongest === 'new_zeros') {
    return `Registered nothing in ${percent(zeros.lastHour)} of the last ${lastHour} (before: ${percent(zeros.before)} of the ${past}): ${energy}.`;
  }
  if (strongest === 'new_flatness') {
    return `Stood still in ${percent(flat.lastHour)} of the last ${lastHour}, at ${watts(lastHourW)} (before: ${percent(flat.before)} of the ${past}): ${energy}.`;
  }
  if (strongest === 'new_lows' || strongest === 'below_floor') {
    return `Lower than at any time of the ${past} before: the last ${lastHour} averaged ${watts(lastHourW)}, the lowest ${lastHour} then ${watts(floorW)}; ${energy}.`;
  }
  if (type === 'low_consumption') return `Used only ${energy}; ${hour}.`;
  if (type === 'high_consumption') return `Used as much as ${energy}; ${hour}.`;
  return `Did not follow its own pattern: ${energy}; ${hour}.`;
}

/** The evidence counts in slots: of a wider one, twelve are more than an hour and a window is more than a day. */
function spansOf(slotMinutes: number) {
  if (slotMinutes === SLOT_MINUTES)
    return { slot: 'five minutes', lastHour: 'hour', hourBefore: 'the same hour yesterday', past: 'day' };
  const hours = (SLOTS_PER_HOUR * slotMinutes) / 60;
  const days = (WINDOW_SLOTS * slotMinutes) / MINUTES_PER_DAY;
  const lastHour = `${hours} hours`;
  return {
    slot: `${slotMinutes} minutes`,
    lastHour,
    hourBefore: `the same hours ${days} days before`,
    past: `${days} days`,
  };
}

const figure = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0));
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const watts = (value: number): string =>
  Math.abs(value) >= 10_000 ? `${(value / 1_000).toFixed(1)} kW` : `${value.toFixed(0)} W`;
