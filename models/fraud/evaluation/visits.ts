import type { Days } from '../day-model.js';
import { type DayEpisode, type EpisodeRule, episodesOf } from '../episodes/episodes.js';
import type { FleetPower } from '../fleet-power.js';
import { theftOn } from './judged-days.js';
import type { TheftLabel } from './theft-bench.js';

export interface Outcome {
  readonly fleet: FleetPower;
  readonly labels: readonly TheftLabel[];
  readonly test: Days;
  readonly scores: readonly Float64Array[];
  readonly rule: EpisodeRule;
}

export interface EpisodeMeasures {
  readonly per_100_honest_meter_days: number;
  readonly honest_meters_touched_share: number;
  readonly thieves_found_share: number;
}

/** Of scores that know of the feeders, a probability; the balance is evidence enough on the second day. */
export const FEEDER_RULE: EpisodeRule = { threshold: 0.8, opens: { days: 2, of: 3 }, closesAfter: 3 };

/** A meter is visited for its worst three weeks: honest absences rarely last so long. */
const WORST_DAYS = 21;

/** Meters by the mean score of their worst weeks in the test part, the worst first. */
export function rankMeters({ fleet, test, scores }: Outcome): string[] {
  const worst = fleet.meters.map(({ meter }, index) => ({ meter, score: worstWeeks(scores[index], test) }));
  return worst.sort((a, b) => b.score - a.score).map(({ meter }) => meter);
}

function worstWeeks(scores: Float64Array | undefined, test: Days): number {
  const known = (scores?.subarray(test.from, test.to + 1) ?? new Float64Array()).filter(Number.isFinite);
  let highest = Number.NEGATIVE_INFINITY;
  for (let from = 0; from + WORST_DAYS <= known.length; from++) {
    const week = known.subarray(from, from + WORST_DAYS);
    highest = Math.max(highest, week.reduce((sum, score) => sum + score, 0) / WORST_DAYS);
  }
  return highest;
}

export function measureEpisodes(outcome: Outcome): EpisodeMeasures {
  const { fleet, labels, test, scores, rule } = outcome;
  const thieves = new Set(labels.map(({ meter }) => meter));
  const touched = new Set<string>();
  let honestDays = 0;
  let alarms = 0;
  for (const [index, { meter }] of fleet.meters.entries()) {
    for (let day = test.from; day <= test.to; day++) {
      const known = !Number.isNaN(scores[index]?.[day] ?? Number.NaN);
      if (known && theftOn(labels, meter, day) === undefined) honestDays += 1;
    }
    for (const { openedDay } of testEpisodes(scores[index], { test, rule })) {
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
export function detectionDay({ fleet, test, scores, rule }: Outcome, label: TheftLabel): number {
  const index = fleet.meters.findIndex(({ meter }) => meter === label.meter);
  const episode = testEpisodes(scores[index], { test, rule }).find(
    ({ openedDay }) => openedDay >= label.firstDay && openedDay <= label.lastDay,
  );
  return episode === undefined ? Number.POSITIVE_INFINITY : episode.openedDay - label.firstDay + 1;
}

/** In days of the fleet. */
function testEpisodes(
  scores: Float64Array | undefined,
  { test, rule }: { test: Days; rule: EpisodeRule },
): DayEpisode[] {
  return episodesOf(scores?.subarray(test.from, test.to + 1) ?? [], rule).map((episode) => ({
    ...episode,
    firstDay: episode.firstDay + test.from,
    openedDay: episode.openedDay + test.from,
    lastDay: episode.lastDay + test.from,
  }));
}
