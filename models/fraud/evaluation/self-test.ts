import { seededRandom } from '../../../agent/domain/clock.js';
import { ATTACK_KINDS, type AttackKind } from '../../fleet/attacks.js';
import { calibrated, DECLARED_SCORE, declaredRaw } from '../calibration.js';
import type { DayModel } from '../day-model.js';
import { type DayEpisode, episodesOf } from '../episodes/episodes.js';
import { gatherFleetEvidence } from '../features/fleet-evidence.js';
import type { FleetPower } from '../fleet-power.js';
import { attackFleet, type InjectedTheft } from './attacked-fleet.js';
import { InputFileError } from './table-file.js';
import { addBalance, rawScores } from './theft-scores.js';
import { feederRule, type Outcome, ownRule } from './visits.js';

/** What a model would find in a fleet, if some of its meters stole. */
export interface SelfTest extends Found {
  /** The same beside the balance of the feeders, where they are metered. */
  readonly with_feeders?: Found;
}

interface Found {
  /** Thefts in which an episode opened. */
  readonly recall: number;
  readonly per_attack: Readonly<Record<string, { readonly thefts: number; readonly recall: number }>>;
  /** Episodes that opened on days without theft. */
  readonly false_alarms_per_100_meter_days: number;
  /** Of the thefts; null when fewer than half were found. */
  readonly median_days_to_detect: number | null;
  readonly thefts: number;
}

export interface SelfTestOptions {
  /** Without theft, as far as is known. */
  readonly fleet: FleetPower;
  readonly model: DayModel;
  readonly seed: number;
  readonly attacks?: readonly AttackKind[];
  readonly rounds?: number;
}

/** The first day that has a past to be compared with. */
const FIRST_DAY = 49;
const THEFT_DAYS = 30;
/** So that a theft can begin and end after it. */
export const FEWEST_SELF_TEST_DAYS = FIRST_DAY + THEFT_DAYS;
/** Few at a time, so that the evidence of peers is still that of honest meters. */
const THIEF_SHARE = 0.2;
const ROUNDS = 5;

/** Injects attacks into a fleet's own clean weeks, as often as there are rounds, and looks what the model finds. */
export function testYourself(options: SelfTestOptions): SelfTest {
  const { fleet, model, seed, attacks = ATTACK_KINDS, rounds = ROUNDS } = options;
  if (fleet.meters.length === 0) throw new InputFileError('there is no meter to be tested on');
  const random = seededRandom(seed);
  const own = ownRule(DECLARED_SCORE);
  const alone = createTally();
  const withFeeders = createTally();
  let stolen = 0;
  for (let round = 0; round < rounds; round++) {
    // In a small fleet fewer meters steal than there are kinds: the next round goes on where this one ended.
    const next = attacks.map((_, at) => attacks[(stolen + at) % attacks.length] as AttackKind);
    const how = { random, attacks: next, share: THIEF_SHARE, firstDay: FIRST_DAY, days: THEFT_DAYS };
    const attacked = attackFleet(fleet, how);
    stolen += attacked.thefts.length;
    const evidence = gatherFleetEvidence(attacked.fleet);
    const raw = rawScores(attacked.fleet, evidence, model);
    alone.add(
      raw.map((days) => days.map((score) => calibrated(model.calibration, score))),
      () => own,
      attacked.thefts,
    );
    if (fleet.feeders.length === 0) continue;
    const { scores, isBalanced } = addBalance(attacked.fleet, raw, { from: 0, to: FIRST_DAY - 1 });
    withFeeders.add(scores, feederRule(isBalanced, declaredRaw(model.calibration)), attacked.thefts);
  }
  return fleet.feeders.length === 0 ? alone.found() : { ...alone.found(), with_feeders: withFeeders.found() };
}

/** Counts over all rounds. */
function createTally() {
  const found: { readonly attack: AttackKind; readonly day: number }[] = [];
  let honestDays = 0;
  let alarms = 0;
  return {
    add(scores: readonly Float64Array[], ruleOn: Outcome['ruleOn'], thefts: readonly InjectedTheft[]): void {
      for (const [meter, days] of scores.entries()) {
        const theft = thefts.find((one) => one.meter === meter);
        const episodes = episodesOf(days, (day) => ruleOn(meter, day));
        honestDays += days.filter((score, day) => !Number.isNaN(score) && !covers(theft, day)).length;
        alarms += episodes.filter(({ openedDay }) => !covers(theft, openedDay)).length;
        if (theft !== undefined) found.push({ attack: theft.attack, day: detectedOn(theft, episodes) });
      }
    },
    found: (): Found => summarise(found, (100 * alarms) / Math.max(honestDays, 1)),
  };
}

const covers = (theft: InjectedTheft | undefined, day: number): boolean =>
  theft !== undefined && day >= theft.firstDay && day <= theft.lastDay;

/** On which day of the theft, from 1 on. */
function detectedOn(theft: InjectedTheft, episodes: readonly DayEpisode[]): number {
  const episode = episodes.find(({ openedDay }) => covers(theft, openedDay));
  return episode === undefined ? Number.POSITIVE_INFINITY : episode.openedDay - theft.firstDay + 1;
}

function summarise(found: readonly { attack: AttackKind; day: number }[], falseAlarms: number): Found {
  const recallOf = (part: typeof found) =>
    part.filter(({ day }) => Number.isFinite(day)).length / Math.max(part.length, 1);
  const kinds = [...new Set(found.map(({ attack }) => attack))].sort();
  const days = found.map(({ day }) => day).sort((a, b) => a - b);
  const median = days[Math.floor((days.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  return {
    thefts: found.length,
    recall: recallOf(found),
    per_attack: Object.fromEntries(
      kinds.map((kind) => {
        const part = found.filter(({ attack }) => attack === kind);
        return [kind, { thefts: part.length, recall: recallOf(part) }];
      }),
    ),
    false_alarms_per_100_meter_days: falseAlarms,
    median_days_to_detect: Number.isFinite(median) ? median : null,
  };
}
