import { type DayModel, type Days, rawScore, trainDayModel } from '../day-model.js';
import { type FleetEvidence, gatherFleetEvidence } from '../features/fleet-evidence.js';
import { sortedQuantile } from '../features/robust.js';
import { balanceFeeder, type FeederBalance, fitBalance, gateOf } from '../feeder/balance.js';
import { combine } from '../feeder/combination.js';
import { suspectDay } from '../feeder/suspicion.js';
import { createUsualLoads } from '../feeder/usual-load.js';
import { dayFacts } from '../findings/day-facts.js';
import type { DayFacts } from '../findings/finding.js';
import type { FleetPower } from '../fleet-power.js';

/** Scores of all meters on all days, by meter, then by day; NaN where a meter was not judged. */
export interface FleetScores {
  readonly noFeeder: readonly Float64Array[];
  readonly feeder: readonly Float64Array[];
  /** Where the balance of its feeder spoke; elsewhere `feeder` holds what its own evidence is worth. */
  isBalanced(meter: number, day: number): boolean;
  /** Of a meter on a day; undefined where it was not judged. */
  facts(meter: number, day: number): DayFacts | undefined;
}

/** Chosen on injected attacks: flagging more than the oddest of clean days keeps habits that changed from becoming usual. */
const FLAGGED_ABOVE = 0.995;

/** Trained on clean days alone, frozen, and then used on every day. */
export function scoreFleet(fleet: FleetPower, clean: Days, seed: number): FleetScores {
  const first = gatherFleetEvidence(fleet);
  const model = trainDayModel({ fleet, clean, seed, evidence: first });
  const flagged = cleanQuantile(rawScores(fleet, first, model), clean, FLAGGED_ABOVE);
  const evidence = gatherFleetEvidence(fleet, (row) => rawScore(model, row) > flagged);
  const noFeeder = rawScores(fleet, evidence, model);
  const { scores: feeder, isBalanced, lossOf } = addBalance(fleet, noFeeder, clean);
  const facts = (meter: number, day: number) => {
    const own = lossOf(meter, day);
    return dayFacts({ fleet, evidence, model }, { meter, day, ...(own === undefined ? {} : { feeder: own }) });
  };
  return { noFeeder, feeder, isBalanced, facts };
}

interface Balanced {
  readonly scores: readonly Float64Array[];
  isBalanced(meter: number, day: number): boolean;
  lossOf(meter: number, day: number): OwnLoss | undefined;
}

/** Scores that know of the feeders as well; of raw scores, by meter, then by day. Balances are fitted on the clean days. */
export function addBalance(fleet: FleetPower, raw: readonly Float64Array[], clean: Days): Balanced {
  const losses = new Map<string, OwnLoss>();
  const balanced = raw.map((days) => new Uint8Array(days.length));
  const scores = raw.map((days) => days.map((score) => (Number.isNaN(score) ? score : combine({ raw: score }))));
  for (const { feeder } of fleet.feeders) {
    const balance = balanceFeeder(fleet, feeder, fitBalance(fleet, feeder, clean));
    judgeFeeder(fleet, { balance, noFeeder: raw, feeder: scores, balanced, losses });
  }
  return {
    scores,
    isBalanced: (meter, day) => balanced[meter]?.[day] === 1,
    lossOf: (meter, day) => losses.get(placeOf(meter, day)),
  };
}

/** What a feeder lost on a day, and the share of it that fits one of its meters. */
interface OwnLoss {
  readonly lossW: number;
  readonly share: number;
}

const placeOf = (meter: number, day: number): string => `${meter} ${day}`;

export const rawScores = (fleet: FleetPower, evidence: FleetEvidence, model: DayModel): Float64Array[] =>
  fleet.meters.map((_, meter) =>
    Float64Array.from({ length: fleet.days }, (__, day) => {
      const row = evidence.row(meter, day);
      return row === undefined ? Number.NaN : rawScore(model, row);
    }),
  );

/** The score that so large a share of the clean days stays below. */
export function cleanQuantile(scores: readonly Float64Array[], clean: Days, share: number): number {
  const known = scores.flatMap((days) => [...days.subarray(clean.from, clean.to + 1)].filter(Number.isFinite));
  return sortedQuantile(Float64Array.from(known).sort(), share);
}

interface Judging {
  readonly balance: FeederBalance;
  readonly noFeeder: readonly Float64Array[];
  /** These are written. */
  readonly feeder: readonly Float64Array[];
  readonly balanced: readonly Uint8Array[];
  readonly losses: Map<string, OwnLoss>;
}

function judgeFeeder(fleet: FleetPower, { balance, noFeeder, feeder, balanced, losses }: Judging): void {
  const gates = Array.from({ length: fleet.days }, (_, day) => gateOf(balance, day));
  const usualLoads = createUsualLoads(fleet);
  for (let day = 0; day < fleet.days; day++) {
    const suspicions = suspectDay(fleet, { balance, gates, day, usualLoads });
    for (const [index, member] of balance.members.entries()) {
      const raw = noFeeder[member]?.[day] ?? Number.NaN;
      const suspicion = suspicions?.[index];
      const scores = feeder[member];
      const gate = gates[day] as number;
      if (scores === undefined || Number.isNaN(raw + gate)) continue;
      (balanced[member] as Uint8Array)[day] = 1;
      scores[day] = combine({ raw, gate, ...(suspicion === undefined ? {} : { suspicion }) });
      if (suspicion === undefined) continue;
      losses.set(placeOf(member, day), { lossW: balance.dayLossW[day] as number, share: suspicion.share });
    }
  }
}
