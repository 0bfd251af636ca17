import type { Suspicion } from './suspicion.js';

/** All that is known about a meter on a day. */
export interface Known {
  /** What the day model makes of its own evidence. */
  readonly raw: number;
  /** See gateOf; undefined without a feeder, NaN while its balance cannot be drawn. */
  readonly gate?: number;
  readonly suspicion?: Suspicion;
}

/**
 * A logistic regression on attacks injected into the first half of the year of the London homes (9 and 18 thieves among
 * 60, exact and noisy feeders): log odds of theft. Nothing of it is fitted to the homes or thieves that it is tested on.
 */
const WEIGHTS = { bias: -10.2, share: 11.4, alone: 1.25, usual: 1.5, own: 2.4, gate: 0.18 };
/** Beyond these, more of the same says nothing more. */
const OWN = { centre: 0.1, unit: 0.1, low: -1, high: 3 };
const GATE = { low: -2, high: 8 };
/** What feeds in explains less than nothing of a loss, which is no proof of honesty. */
const SHARE = { low: 0, high: 1 };

/**
 * Where no balance speaks, fitted likewise on six times three draws of thieves, in homes that the day model was not
 * trained on, for as many thieves as above. Its own evidence is then all there is, and has no upper end.
 */
const OWN_ALONE = { bias: -6.9, own: 1.73, low: -1, high: 9 };

/** Probability of theft: by the balance where it can be drawn, and otherwise by what its own evidence is worth. */
export function combine({ raw, gate, suspicion }: Known): number {
  const own = (raw - OWN.centre) / OWN.unit;
  if (gate === undefined || Number.isNaN(gate))
    return probability(OWN_ALONE.bias + OWN_ALONE.own * clip(own, OWN_ALONE));
  const { share, alone, usual } = suspicion ?? { share: 0, alone: 0, usual: 0 };
  return probability(
    WEIGHTS.bias +
      WEIGHTS.share * clip(share, SHARE) +
      WEIGHTS.alone * alone +
      WEIGHTS.usual * usual +
      WEIGHTS.own * clip(own, OWN) +
      WEIGHTS.gate * clip(gate, GATE),
  );
}

const probability = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

const clip = (value: number, { low, high }: { low: number; high: number }): number =>
  Math.min(Math.max(value, low), high);
