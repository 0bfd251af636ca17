import type { Random } from '../../../agent/domain/clock.js';
import { type AttackKind, applyAttack, drawAttack } from '../../fleet/attacks.js';
import type { FleetPower } from '../fleet-power.js';

/** The attacks that were published as false data injection, FDI1 to FDI6. */
export const KNOWN_ATTACKS = [
  'constant_share',
  'cap',
  'offset',
  'zero_window',
  'random_share',
  'mean_share',
] as const satisfies readonly AttackKind[];

export interface InjectedTheft {
  /** Its place in the fleet. */
  readonly meter: number;
  readonly attack: AttackKind;
  /** Both included. */
  readonly firstDay: number;
  readonly lastDay: number;
}

export interface Injection {
  readonly random: Random;
  readonly attacks: readonly AttackKind[];
  /** Of the meters; one at least steals. */
  readonly share: number;
  /** Thefts begin at random from this day on, and last so many days. */
  readonly firstDay: number;
  readonly days: number;
}

/** Thieves drawn at random, every attack as often as any other; feeders keep what really went through them. */
export function attackFleet(
  fleet: FleetPower,
  { random, attacks, share, firstDay, days }: Injection,
): { readonly fleet: FleetPower; readonly thefts: readonly InjectedTheft[] } {
  const order = fleet.meters.map((_, index) => ({ index, key: random() })).sort((a, b) => a.key - b.key);
  const thefts = order.slice(0, Math.max(Math.round(share * order.length), 1)).map(({ index }, at): InjectedTheft => {
    const from = firstDay + Math.floor(random() * Math.max(fleet.days - firstDay - days + 1, 1));
    const attack = attacks[at % attacks.length] as AttackKind;
    return { meter: index, attack, firstDay: from, lastDay: Math.min(from + days, fleet.days) - 1 };
  });
  const stolen = new Map(thefts.map((theft) => [theft.meter, theft]));
  const meters = fleet.meters.map((meter, index) => {
    const theft = stolen.get(index);
    return theft === undefined ? meter : { ...meter, powerW: attacked(meter.powerW, { theft, fleet, random }) };
  });
  return { fleet: { ...fleet, meters }, thefts };
}

function attacked(
  powerW: Float32Array,
  { theft, fleet, random }: { theft: InjectedTheft; fleet: FleetPower; random: Random },
): Float32Array {
  const { slotsPerDay } = fleet;
  const from = theft.firstDay * slotsPerDay;
  const honest = powerW.subarray(from, (theft.lastDay + 1) * slotsPerDay);
  const attack = drawAttack(theft.attack, honest, random);
  const reported = powerW.slice();
  reported.set(applyAttack({ values: honest, stepsPerDay: slotsPerDay }, attack, random), from);
  return reported;
}
