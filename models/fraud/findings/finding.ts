import type { AnomalyType } from '../../../agent/domain/anomaly.js';
import type { DayEvidence } from '../features/evidence.js';
import type { Contribution } from '../theft-score.js';

/** What an inspector understands; null where nothing more can be said than the type. */
export const REFINEMENTS = [
  'tamper_flag',
  'register_rollback',
  'reversed',
  'stopped_meter',
  'lost_phase',
  'capped',
  'night_zero',
  'zero_hours',
  'bypass',
] as const;
export type Refinement = (typeof REFINEMENTS)[number];

/** All that is known about one anomalous day of a meter. Whatever was not measured is left out. */
export interface DayFacts {
  readonly expectedWh: number;
  readonly actualWh: number;
  /** Strongest first. */
  readonly contributions: readonly Contribution[];
  /** What the feeder lost that day beyond its technical loss, and how much of it this meter explains, 0..1. */
  readonly feederLossWh?: number;
  readonly feederShare?: number;
  /** Shares of the day's slots, 0..1. */
  readonly zeroShare?: number;
  /** Of the slots between midnight and five. */
  readonly nightZeroShare?: number;
  readonly capW?: number;
  /** Shares of the day's slots at the highest value. */
  readonly atCapShare?: number;
  readonly lowestPowerW?: number;
  /** On the days that the meter is compared with. */
  readonly usualLowestW?: number;
  readonly lowestVoltageV?: number;
  /** Phases that carried no current although others did. */
  readonly silentPhases?: number;
  readonly tamperFlag?: boolean;
  readonly rolledBackWh?: number;
}

export interface Finding {
  readonly type: AnomalyType;
  readonly refinement: Refinement | null;
}

const SAYS_LOW: ReadonlySet<string> = new Set<DayEvidence>([
  'level_drop',
  'floor_drop',
  'whole_drop',
  'new_zeros',
  'zero_run',
  'new_lows',
  'scaled_fit',
]);

/** One kind of evidence must carry this share of what is explained to name the anomaly. */
const MAJORITY = 0.5;
/** Of what is expected; more is surely no theft, and may be one of the neighbours' or a fault. */
const HIGH_SHARE = 1.5;
const LOW_SHARE = 0.9;
const ALIVE_V = 50;
/** Noise of a meter reaches less far. */
const REVERSED_W = -50;

export function classify(facts: DayFacts): Finding {
  return { type: typeOf(facts), refinement: RULES.find(([, holds]) => holds(facts))?.[0] ?? null };
}

function typeOf({ expectedWh, actualWh, contributions }: DayFacts): AnomalyType {
  if (actualWh > HIGH_SHARE * expectedWh) return 'high_consumption';
  const total = contributions.reduce((sum, { share }) => sum + share, 0);
  const low = contributions.reduce((sum, { feature, share }) => sum + (SAYS_LOW.has(feature) ? share : 0), 0);
  return actualWh < LOW_SHARE * expectedWh && low > MAJORITY * total ? 'low_consumption' : 'unusual_pattern';
}

/** The first that holds is said: what a meter states itself before what only its load shows. */
const RULES: readonly (readonly [Refinement, (facts: DayFacts) => boolean])[] = [
  ['tamper_flag', ({ tamperFlag }) => tamperFlag === true],
  ['register_rollback', ({ rolledBackWh = 0 }) => rolledBackWh > 0],
  [
    'reversed',
    // Where panels feed in, a meter counts backwards on most days: that is no finding, however far it goes.
    ({ lowestPowerW = 0, usualLowestW = Number.NEGATIVE_INFINITY, expectedWh }) =>
      lowestPowerW < REVERSED_W && usualLowestW >= REVERSED_W && expectedWh > 0,
  ],
  ['stopped_meter', ({ zeroShare = 0, lowestVoltageV = 0 }) => zeroShare > 0.95 && lowestVoltageV > ALIVE_V],
  ['lost_phase', ({ silentPhases = 0 }) => silentPhases > 0],
  [
    'capped',
    ({ atCapShare = 0, contributions }) => atCapShare > 0.08 && isAmong(contributions, ['ties_at_cap', 'near_cap']),
  ],
  ['night_zero', ({ nightZeroShare = 0, zeroShare = 0 }) => nightZeroShare > 0.8 && zeroShare < 0.6],
  [
    'zero_hours',
    ({ zeroShare = 0, contributions }) => zeroShare > 0.1 && isAmong(contributions, ['zero_run', 'new_zeros']),
  ],
  [
    'bypass',
    ({ feederLossWh = 0, feederShare = 0, expectedWh, actualWh }) =>
      feederShare > MAJORITY && feederLossWh > 0 && actualWh < LOW_SHARE * expectedWh,
  ],
];

/** Strong enough to be named: among the first three. */
const isAmong = (contributions: readonly Contribution[], features: readonly DayEvidence[]): boolean =>
  contributions.slice(0, 3).some(({ feature }) => features.some((one) => one === feature));
