import type { DayEpisode } from '../episodes/episodes.js';
import { type EpisodeEnergy, type EpisodeWorth, rankEpisodes, worthOf } from '../episodes/ranking.js';
import type { TheftResults } from './theft-eval.js';
import { testEpisodes } from './visits.js';

export interface Visit extends DayEpisode {
  readonly meter: string;
  readonly worth: EpisodeWorth;
}

/** Every episode that opened in the test, with feeders; the visit that recovers most first. */
export function listVisits({ withFeeder, scores }: TheftResults, tariffPerKwh: number): Visit[] {
  const visits = withFeeder.fleet.meters.flatMap(({ meter }, index) =>
    testEpisodes(withFeeder, index).map((episode): Visit => {
      const { threshold } = withFeeder.ruleOn(index, episode.openedDay);
      const energy = energyOf(scores, index, episode);
      return { ...episode, meter, worth: worthOf(episode, { energy, threshold, tariffPerKwh }) };
    }),
  );
  return rankEpisodes(visits);
}

function energyOf({ facts }: TheftResults['scores'], meter: number, { firstDay, lastDay }: DayEpisode): EpisodeEnergy {
  const days = Array.from({ length: lastDay - firstDay + 1 }, (_, at) => facts(meter, firstDay + at));
  return {
    expectedWh: days.map((day) => day?.expectedWh ?? Number.NaN),
    actualWh: days.map((day) => day?.actualWh ?? Number.NaN),
    attributedWh: days.map((day) => (day?.feederLossWh ?? Number.NaN) * part(day?.feederShare ?? Number.NaN)),
  };
}

const part = (share: number): number => Math.min(Math.max(share, 0), 1);
