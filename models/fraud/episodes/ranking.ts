import type { DayEpisode } from './episodes.js';

/** What an episode cost, day by day from its first to its last; NaN on days of which nothing is known. */
export interface EpisodeEnergy {
  readonly expectedWh: ArrayLike<number>;
  readonly actualWh: ArrayLike<number>;
  /** What the feeder's balance lays to this meter, where there is one. */
  readonly attributedWh?: ArrayLike<number>;
}

export interface EpisodeWorth {
  readonly lostWh: number;
  /** 0..1 */
  readonly confidence: number;
  /** What a visit may recover, in the tariff's currency: loss × tariff × confidence. */
  readonly recoverable: number;
}

/** A score at the threshold is worth this much, and the highest one all. */
const LEAST_CONFIDENCE = 0.3;
/** Confidence grows with the days that were seen; after a week it is whole. */
const SURE_AFTER_DAYS = 7;

/** What was lost: what the balance says where it can be drawn, otherwise what lacks to the expectation. */
export function lostEnergyWh({ expectedWh, actualWh, attributedWh }: EpisodeEnergy): number {
  let lost = 0;
  for (let day = 0; day < expectedWh.length; day++) {
    const attributed = attributedWh?.[day] ?? Number.NaN;
    const missing = (expectedWh[day] as number) - (actualWh[day] as number);
    const loss = Number.isNaN(attributed) ? missing : attributed;
    if (Number.isFinite(loss)) lost += Math.max(loss, 0);
  }
  return lost;
}

export interface Worth {
  readonly energy: EpisodeEnergy;
  readonly threshold: number;
  readonly tariffPerKwh: number;
}

export function worthOf(episode: DayEpisode, { energy, threshold, tariffPerKwh }: Worth): EpisodeWorth {
  const lostWh = lostEnergyWh(energy);
  const above = threshold < 1 ? Math.max(episode.mean - threshold, 0) / (1 - threshold) : 0;
  const days = episode.lastDay - episode.firstDay + 1;
  const seen = Math.min(days / SURE_AFTER_DAYS, 1);
  const confidence = (LEAST_CONFIDENCE + (1 - LEAST_CONFIDENCE) * Math.min(above, 1)) * seen;
  return { lostWh, confidence, recoverable: (lostWh / 1_000) * tariffPerKwh * confidence };
}

/** The visit that recovers most comes first; equal ones as they were. */
export const rankEpisodes = <T extends { readonly worth: EpisodeWorth }>(episodes: readonly T[]): T[] =>
  episodes.toSorted((a, b) => b.worth.recoverable - a.worth.recoverable);
