import type { Random } from '../../agent/domain/clock.js';
import { between } from './random-stream.js';

/**
 * How a thief makes a meter count less, as changes of what it would have counted. Levels (`cap`, `offset`, `mean`) are
 * in the unit of the series. What changes readings and not energy (a tamper flag, a register set back, meters that were
 * swapped) is no attack on a series: it stands with those who make readings.
 */
export type Attack =
  | { readonly kind: 'constant_share'; readonly share: number }
  | { readonly kind: 'cap'; readonly cap: number }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'zero_window'; readonly fromHour: number; readonly hours: number }
  | { readonly kind: 'random_share'; readonly low: number; readonly high: number }
  | { readonly kind: 'mean_share'; readonly low: number; readonly high: number; readonly mean: number }
  | { readonly kind: 'bypass'; readonly left: number }
  | { readonly kind: 'night_only'; readonly share: number; readonly fromHour: number; readonly toHour: number }
  | { readonly kind: 'slow_ramp'; readonly share: number; readonly days: number }
  | { readonly kind: 'reversed_phase'; readonly phaseShare: number };

export type AttackKind = Attack['kind'];

export const ATTACK_KINDS = [
  'constant_share',
  'cap',
  'offset',
  'zero_window',
  'random_share',
  'mean_share',
  'bypass',
  'night_only',
  'slow_ramp',
  'reversed_phase',
] as const satisfies readonly AttackKind[];

/** Energy or mean power of equal steps; NaN is unknown and stays so. */
export interface AttackedSeries {
  readonly values: Float32Array;
  readonly stepsPerDay: number;
  /** Of the day, where the first value stands; 0 unless told otherwise. */
  readonly firstStep?: number;
  /** Steps since the theft began, when this is not its beginning; matters to the slow ramp alone. */
  readonly elapsedSteps?: number;
}

/**
 * What the meter counts in place of the truth: the same length, the argument unchanged. What is fed in is paid for: a
 * negative value stays as it is.
 */
export function applyAttack(series: AttackedSeries, attack: Attack, random: Random): Float32Array {
  const { values, stepsPerDay, firstStep = 0, elapsedSteps = 0 } = series;
  const change = changeOf(attack, random);
  const hoursPerStep = 24 / stepsPerDay;
  return values.map((value, index) => {
    const hour = ((firstStep + index) % stepsPerDay) * hoursPerStep;
    return value < 0 ? value : change(value, hour, (elapsedSteps + index) / stepsPerDay);
  });
}

type Change = (value: number, hour: number, elapsedDays: number) => number;

function changeOf(attack: Attack, random: Random): Change {
  switch (attack.kind) {
    case 'constant_share':
      return (value) => value * attack.share;
    case 'cap':
      return (value) => Math.min(value, attack.cap);
    case 'offset':
      return (value) => Math.max(value - attack.offset, 0);
    case 'zero_window':
      return (value, hour) => (within(hour, attack.fromHour, attack.fromHour + attack.hours) ? value * 0 : value);
    case 'random_share':
      return (value) => value * between(random, attack.low, attack.high);
    case 'mean_share':
      return (value) => between(random, attack.low, attack.high) * attack.mean + value * 0;
    case 'bypass':
      return (value) => value * attack.left;
    case 'night_only':
      return (value, hour) => (within(hour, attack.fromHour, attack.toHour) ? value * attack.share : value);
    case 'slow_ramp':
      return (value, _, elapsed) => value * (1 - (1 - attack.share) * Math.min(elapsed / attack.days, 1));
    case 'reversed_phase':
      // The phase is not only missing from the sum, it is subtracted from it.
      return (value) => value * (1 - 2 * attack.phaseShare);
  }
}

/** Hours of a clock: from 22 to 6 goes over midnight, and so does from 20 to 26. */
const within = (hour: number, from: number, to: number): boolean => (hour - from + 48) % 24 < (to - from + 48) % 24;

/** Parameters as thieves choose them: enough to be worth it, scaled to what this household draws when it draws anything. */
export function drawAttack(kind: AttackKind, honest: Float32Array, random: Random): Attack {
  switch (kind) {
    case 'constant_share':
      return { kind, share: between(random, 0.1, 0.8) };
    case 'cap':
      return { kind, cap: quantile(honest, between(random, 0.4, 0.75)) };
    case 'offset':
      return { kind, offset: quantile(honest, between(random, 0.4, 0.75)) };
    case 'zero_window':
      return { kind, fromHour: between(random, 0, 24), hours: between(random, 4, 12) };
    case 'random_share':
      return { kind, low: 0.1, high: 0.8 };
    case 'mean_share':
      return { kind, low: 0.1, high: 0.8, mean: meanDrawn(honest) };
    case 'bypass':
      return { kind, left: between(random, 0, 0.06) };
    case 'night_only':
      return { kind, share: between(random, 0, 0.3), fromHour: between(random, 20, 23), toHour: between(random, 5, 8) };
    case 'slow_ramp':
      return { kind, share: between(random, 0.1, 0.5), days: between(random, 14, 42) };
    case 'reversed_phase':
      return { kind, phaseShare: between(random, 0.2, 0.45) };
  }
}

function quantile(values: Float32Array, share: number): number {
  const drawn = values.filter((value) => value > 0).sort();
  return drawn[Math.floor(share * (drawn.length - 1))] ?? 0;
}

/** Of the steps in which something is drawn alone; what panels feed in has no part in it. */
export function meanDrawn(values: Float32Array): number {
  let sum = 0;
  let steps = 0;
  for (const value of values) {
    if (!(value > 0)) continue;
    sum += value;
    steps += 1;
  }
  return steps === 0 ? 0 : sum / steps;
}
