import type { Days } from '../day-model.js';
import { type DayEpisode, type EpisodeRule, episodesOf } from '../episodes/episodes.js';
import { combine } from '../feeder/combination.js';
import type { FleetPower } from '../fleet-power.js';
import { theftOn } from './judged-days.js';
import type { TheftLabel } from './theft-bench.js';

export interface Outcome {
  readonly fleet: FleetPower;
  readonly labels: readonly TheftLabel[];
  readonly test: Days;
  readonly scores: readonly Float64Array[];
  /** By place of the meter in the fleet. */
  ruleOn(meter: number, day: number): EpisodeRule;
}

export interface EpisodeMeasures {
  readonly per_100_honest_meter_days: number;
  readonly honest_meters_touched_share: number;
  readonly thieves_found_share: number;
}

/** Of scores that know of the feeders, a probability; the balance is evidence enough on the second day. */
const FEEDER_RULE: EpisodeRule = { threshold: 0.8, opens: { days: 2, of: 3 }, closesAfter: 3 };

/** Where a meter's own evidence is all there is; chosen on attacks injected into the clean half year. */
export const ownRule = (threshold: number): EpisodeRule => ({ threshold, opens: { days: 4, of: 5 }, closesAfter: 5 });

/** Of scores that know of the feeders: a day on which no balance speaks goes by the rule of its own evidence. */
export function feederRule(isBalanced: (meter: number, day: number) => boolean, ownRaw: number): Outcome['ruleOn'] {
  const own = ownRule(combine({ raw: ownRaw }));
  return (meter, day) => (isBalanced(meter, day) ? FEEDER_RULE : own);
}

/** A meter is visited for its worst three weeks: honest absences rarely last so long. */
const WORST_DAYS = 21;

/** Meters by the mean score of their worst weeks in the test part, the worst first. */
export function rankMeters({ fleet, test, scores }: Outcome): string[] {
  const worst = fleet.meters.map(({ meter }, index) => ({ meter, score: worstWeeks(scores[index], test) }));
  return worst.sort((a, b) => b.score - a.score).map(({ meter }) => meter);
}

/** Of a meter that was judged on fewer days, or in a shorter test, what there is; unknown days speak for it. */
function worstWeeks(scores: Float64Array | undefined, test: Days): number {
  const known = (scores?.subarray(test.from, test.to + 1) ?? new Float64Array()).filter(Number.isFinite);
  const days = Math.min(WORST_DAYS, test.to - test.from + 1);
  let highest = 0;
  for (let from = 0; from === 0 || from + days <= known.length; from++) {
    const weeks = known.subarray(from, from + days);
    highest = Math.max(highest, weeks.reduce((sum, score) => sum + score, 0) / days);
  }
  return highest;
}

export function measureEpisodes(outcome: Outcome): EpisodeMeasures {
  const { fleet, labels, test, scores } = outcome;
  const thieves = new Set(labels.map(({ meter }) => meter));
  const touched = new Set<string>();
  let honestDays = 0;
  let alarms = 0;
  for (const [index, { meter }] of fleet.meters.entries()) {
    for (let day = test.from; day <= test.to; day++) {
      const known = !Number.isNaN(scores[index]?.[day] ?? Number.NaN);
      if (known && theftOn(labels, meter, day) === undefined) honestDays += 1;
    }
    for (const { openedDay } of testEpisodes(outcome, index)) {
      if (theftOn(labels, meter, openedDay) !== undefined) continue;
      alarms += 1;
      if (!thieves.has(meter)) touched.add(meter);
    }
  }
  const found = labels.filter((label) => Number.isFinite(detectionDay(outcome, label)));
  return {
    per_100_honest_meter_days: (100 * alarms) / honestDays,
    honest_meters_touched_share: touched.size / Math.max(fleet.meters.length - thieves.size, 1),
    thieves_found_share: found.length / labels.length,
  };
}

/** On which day of the theft, from 1 on, its episode opened; Infinity when none did. */
export function detectionDay(outcome: Outcome, label: TheftLabel): number {
  const index = outcome.fleet.meters.findIndex(({ meter }) => meter === label.meter);
  const episode = testEpisodes(outcome, index).find(
    ({ openedDay }) => openedDay >= label.firstDay && openedDay <= label.lastDay,
  );
  return episode === undefined ? Number.POSITIVE_INFINITY : episode.openedDay - label.firstDay + 1;
}

/** Of one meter, in days of the fleet. */
export function testEpisodes({ scores, test, ruleOn }: Outcome, meter: number): DayEpisode[] {
  const judged = scores[meter]?.subarray(test.from, test.to + 1) ?? [];
  return episodesOf(judged, (day) => ruleOn(meter, test.from + day)).map((episode) => ({
    ...episode,
    firstDay: episode.firstDay + test.from,
    openedDay: episode.openedDay + test.from,
    lastDay: episode.lastDay + test.from,
  }));
}
