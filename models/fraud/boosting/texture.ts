import { RATIO_FLOOR_W } from '../features/day-shape.js';
import { medianOf } from '../features/robust.js';
import type { FleetPower } from '../fleet-power.js';

/**
 * What a day's loads look like whatever their level. Shares drawn anew for each slot leave neither quiet hours nor
 * neighbours that are alike, and of a mean they leave an even spread; who is away, or uses less, keeps all three.
 */
const FIGURES = 4;
/** The day and its week, as they are; then the same against what was usual for the meter. */
export const TEXTURE_WIDTH = 4 * FIGURES;

const WEEK_DAYS = 7;
/** As for the evidence, the meter's own days 12 to 4 weeks ago. */
const USUAL = { endsAgo: 28, days: 57 };
const LEAST_PRESENT = 0.5;
const QUIET_HOURS = 4;
/** Shares that are drawn at random lie evenly between these: the kinds of theft are known here. */
const SHARES = { low: 0.1, high: 0.8 };
/** Below it a spread is rounding of readings. */
const SPREAD_FLOOR_W = 5;

type Figures = Float64Array | undefined;

/** TEXTURE_WIDTH numbers of a meter on a day, from that day and earlier ones; zeros where too little is known. */
export function gatherTextures(fleet: FleetPower): (meter: number, day: number) => Float32Array {
  const { days, meters, slotsPerDay } = fleet;
  const textures = meters.map(({ powerW }) => {
    const own = Array.from({ length: days }, (_, day) =>
      dayTexture(powerW.subarray(day * slotsPerDay, (day + 1) * slotsPerDay)),
    );
    return { own, unusual: own.map((_, day) => againstUsual(own, day)) };
  });
  return (meter, day) => {
    const row = new Float32Array(TEXTURE_WIDTH);
    const { own, unusual } = textures[meter] ?? { own: [], unusual: [] };
    for (const [block, figures] of [own, unusual].entries()) {
      const today = figures[day];
      if (today === undefined) continue;
      row.set(today, 2 * block * FIGURES);
      row.set(meanOf(figures.slice(Math.max(day - WEEK_DAYS + 1, 0), day + 1)), (2 * block + 1) * FIGURES);
    }
    return row;
  };
}

/** Likeness of neighbours, spread of the quietest hours, distance from shares of a mean, spread of the day. */
function dayTexture(powerW: Float32Array): Figures {
  const known = powerW.filter(Number.isFinite).map((watts) => Math.max(watts, 0));
  if (known.length < LEAST_PRESENT * powerW.length) return undefined;
  const { mean, deviation } = momentsOf(known);
  return Float64Array.of(
    likenessOfNeighbours(known),
    quietest(known.map(logOf), Math.round((powerW.length * QUIET_HOURS) / 24)),
    distanceFromShares(known, mean),
    Math.log(deviation + SPREAD_FLOOR_W) - logOf(mean),
  );
}

const logOf = (watts: number): number => Math.log(watts + RATIO_FLOOR_W);

function momentsOf(values: Float32Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

/** Correlation of the ranks of slots that follow each other: one peak does not outweigh a night. */
function likenessOfNeighbours(known: Float32Array): number {
  const count = known.length;
  const ranks = new Float64Array(count);
  const order = Array.from(known.keys()).sort((a, b) => (known[a] as number) - (known[b] as number));
  for (const [rank, slot] of order.entries()) ranks[slot] = rank - (count - 1) / 2;
  let together = 0;
  for (let slot = 1; slot < count; slot++) together += (ranks[slot] as number) * (ranks[slot - 1] as number);
  return together / ranks.reduce((sum, rank) => sum + rank * rank, 0);
}

function quietest(logs: Float32Array, length: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let from = 0; from + length <= logs.length; from++)
    least = Math.min(least, momentsOf(logs.subarray(from, from + length)).deviation);
  return least;
}

/** The largest gap between what is reported and shares of its mean that are spread evenly. */
function distanceFromShares(known: Float32Array, mean: number): number {
  const { low, high } = SHARES;
  const whole = Math.max(mean, 1) / ((low + high) / 2);
  let farthest = 0;
  for (const [rank, watts] of known.toSorted().entries()) {
    const even = Math.min(Math.max((watts / whole - low) / (high - low), 0), 1);
    farthest = Math.max(farthest, Math.abs(even - (rank + 0.5) / known.length));
  }
  return farthest;
}

/** By how much a day differs from the median of what was usual for the meter. */
function againstUsual(own: readonly Figures[], day: number): Figures {
  const today = own[day];
  const to = day - USUAL.endsAgo + 1;
  const usual = own.slice(Math.max(to - USUAL.days, 0), Math.max(to, 0)).flatMap((figures) => figures ?? []);
  if (today === undefined || usual.length === 0) return undefined;
  return today.map((value, index) => value - medianOf(Float64Array.from(usual, (past) => past[index] as number)));
}

function meanOf(days: readonly Figures[]): Float64Array {
  const known = days.flatMap((figures) => figures ?? []);
  return Float64Array.from({ length: FIGURES }, (_, index) => {
    return known.reduce((sum, figures) => sum + (figures[index] as number), 0) / known.length;
  });
}
