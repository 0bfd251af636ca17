import { type Random, seededRandom } from '../../agent/domain/clock.js';

/** Mixes whole numbers into one of 32 bits; neighbours end up far apart. */
export function mix(seed: number, ...keys: readonly number[]): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  for (const key of keys) {
    hash ^= Math.imul(key | 0, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f);
    hash = Math.imul(hash ^ (hash >>> 13), 0x165667b1);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/**
 * A source of its own for each thing and day, so that what is drawn for one never depends on what was asked before: any
 * day can be made without the days that precede it.
 */
export const streamOf = (seed: number, ...keys: readonly number[]): Random => seededRandom(mix(seed, ...keys));

/** Uniform in [0, 1), a function of its keys. */
export const unitOf = (seed: number, ...keys: readonly number[]): number => mix(seed, ...keys) / 4_294_967_296;

export const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

/** Box and Muller's normal deviate. */
export const gaussian = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Its median is 1. */
export const logNormal = (random: Random, sigma: number): number => Math.exp(sigma * gaussian(random));

/** Knuth's way; the means here are far below the 700 at which it would underflow. */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}

/** Wanders within about -1.5..1.5 with deviation near 0.5, smooth over a length of 1 in `at`; a function of its arguments. */
export function wander(seed: number, at: number): number {
  const left = Math.floor(at);
  const part = at - left;
  const weight = part * part * (3 - 2 * part);
  return (unitOf(seed, left) * (1 - weight) + unitOf(seed, left + 1) * weight - 0.5) * 3;
}
