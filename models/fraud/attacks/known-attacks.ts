import type { Random } from '../../../agent/domain/clock.js';

/** False data as published (FDI1 to FDI6): what a thief makes of the true load. */
export const KNOWN_ATTACKS = [
  'constant_share',
  'cap',
  'offset',
  'zero_window',
  'random_share',
  'share_of_mean',
] as const;

export type KnownAttack = (typeof KNOWN_ATTACKS)[number];

export interface AttackedSpan {
  readonly attack: KnownAttack;
  readonly fromSlot: number;
  readonly toSlot: number;
  readonly slotsPerDay: number;
}

/** A copy in which the span is what a thief would have reported. */
export function withAttack(powerW: Float32Array, span: AttackedSpan, random: Random): Float32Array {
  const { fromSlot, toSlot, slotsPerDay } = span;
  const reported = powerW.slice();
  const sorted = powerW
    .slice(fromSlot, toSlot)
    .filter((watts) => watts > 0)
    .sort();
  if (sorted.length === 0) return reported;
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
  const mean = sorted.reduce((sum, watts) => sum + watts, 0) / sorted.length;
  const change = changeOf(span.attack, { random, quantile, mean, slotsPerDay });
  for (let slot = fromSlot; slot < toSlot; slot++) {
    const watts = powerW[slot] as number;
    if (!Number.isNaN(watts)) reported[slot] = change(watts, slot);
  }
  return reported;
}

interface Home {
  readonly random: Random;
  readonly quantile: (share: number) => number;
  readonly mean: number;
  readonly slotsPerDay: number;
}

function changeOf(attack: KnownAttack, home: Home): (watts: number, slot: number) => number {
  const { random, quantile, mean, slotsPerDay } = home;
  const between = (low: number, high: number) => low + (high - low) * random();
  switch (attack) {
    case 'constant_share': {
      const share = between(0.2, 0.8);
      return (watts) => watts * share;
    }
    case 'cap': {
      const cap = quantile(between(0.5, 0.92));
      return (watts) => Math.min(watts, cap);
    }
    case 'offset': {
      const offset = quantile(between(0.3, 0.85));
      return (watts) => Math.max(watts - offset, 0);
    }
    case 'zero_window': {
      const from = Math.floor(random() * slotsPerDay);
      const length = Math.round(between(0.17, 0.75) * slotsPerDay);
      return (watts, slot) => ((slot - from + slotsPerDay) % slotsPerDay < length ? 0 : watts);
    }
    case 'random_share':
      return (watts) => watts * between(0.1, 0.8);
    case 'share_of_mean':
      return () => mean * between(0.1, 0.8);
  }
}
