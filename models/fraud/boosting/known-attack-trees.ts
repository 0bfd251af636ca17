import { type Random, seededRandom } from '../../../agent/domain/clock.js';
import { KNOWN_ATTACKS, type KnownAttack, withAttack } from '../attacks/known-attacks.js';
import { gatherFleetEvidence, ROW_WIDTH } from '../features/fleet-evidence.js';
import type { FleetPower } from '../fleet-power.js';
import { type BoostedTrees, trainBoostedTrees } from './boosted-trees.js';

/** Thefts begin once there is a past to compare with, and last as long as those that were published. */
const FIRST_DAY = 56;
const THEFT_DAYS = 30;
/** Copies of the clean days with other attacks; more of them change little. */
const COPIES = 4;
/** Of the meters of each copy, so that the evidence of peers is still that of honest ones. */
const THIEF_SHARE = 0.4;

/** A yardstick: what could be had if every attack were known in advance. Self-supervised, on attacks upon clean days. */
export function trainKnownAttackTrees(clean: FleetPower, seed: number): BoostedTrees {
  const random = seededRandom(seed);
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  for (let copy = 0; copy < COPIES; copy++) {
    const { fleet, thefts } = attackFleet(clean, { random, share: THIEF_SHARE, firstDay: FIRST_DAY, days: THEFT_DAYS });
    const evidence = gatherFleetEvidence(fleet);
    for (const meter of fleet.meters.keys()) {
      const theft = thefts.find((one) => one.meter === meter);
      for (let day = FIRST_DAY; day < fleet.days; day++) {
        const row = evidence.row(meter, day);
        if (row === undefined) continue;
        rows.push(row);
        labels.push(theft !== undefined && day >= theft.firstDay && day <= theft.lastDay ? 1 : 0);
      }
    }
  }
  const flat = new Float32Array(rows.length * ROW_WIDTH);
  for (const [index, row] of rows.entries()) flat.set(row, index * ROW_WIDTH);
  return trainBoostedTrees({ rows: flat, features: ROW_WIDTH, labels: Uint8Array.from(labels), seed });
}

export interface InjectedTheft {
  /** Its place in the fleet. */
  readonly meter: number;
  readonly attack: KnownAttack;
  readonly firstDay: number;
  readonly lastDay: number;
}

export interface Injection {
  readonly random: Random;
  readonly share: number;
  readonly firstDay: number;
  readonly days: number;
}

/** Thieves drawn at random, every attack as often as any other; feeders keep what really went through them. */
export function attackFleet(
  fleet: FleetPower,
  { random, share, firstDay, days }: Injection,
): { readonly fleet: FleetPower; readonly thefts: readonly InjectedTheft[] } {
  const order = fleet.meters.map((_, index) => ({ index, key: random() })).sort((a, b) => a.key - b.key);
  const thefts = order.slice(0, Math.round(share * order.length)).map(({ index }, at): InjectedTheft => {
    const from = firstDay + Math.floor(random() * Math.max(fleet.days - firstDay - days + 1, 1));
    const attack = KNOWN_ATTACKS[at % KNOWN_ATTACKS.length] as KnownAttack;
    return { meter: index, attack, firstDay: from, lastDay: Math.min(from + days, fleet.days) - 1 };
  });
  const { slotsPerDay } = fleet;
  const meters = fleet.meters.map((meter, index) => {
    const theft = thefts.find((one) => one.meter === index);
    if (theft === undefined) return meter;
    const span = { fromSlot: theft.firstDay * slotsPerDay, toSlot: (theft.lastDay + 1) * slotsPerDay, slotsPerDay };
    return { ...meter, powerW: withAttack(meter.powerW, { ...span, attack: theft.attack }, random) };
  });
  return { fleet: { ...fleet, meters }, thefts };
}
