import { z } from 'zod';
import { DAY_EVIDENCE, type DayEvidence, EVIDENCE_WIDTH } from './features/evidence.js';
import { MEAN_DAYS, ROW_WIDTH } from './features/evidence-row.js';

/**
 * How seldom clean days hold as much evidence. A forest cannot tell what is odd from what is odder still where no
 * clean day reaches; and evidence that speaks for different ways of stealing adds up here.
 */
export interface Rarity {
  /** Of each number of a row. */
  readonly tails: readonly Tail[];
}

/** Rising pairs of a value, and minus the log of the share of clean days that reach it. */
type Tail = readonly (readonly [value: number, nats: number])[];

/** What speaks for the same way of stealing counts once: less is used, nothing is used at times, or a cap is kept. */
const KINDS: readonly (readonly DayEvidence[])[] = [
  ['level_drop', 'floor_drop', 'scaled_fit'],
  ['new_zeros', 'zero_run'],
  ['ties_at_cap', 'near_cap'],
];
const COLUMNS = KINDS.map((kind) => kind.map((name) => DAY_EVIDENCE.indexOf(name)));

/** The day itself, and its week for a quarter. */
const BLOCKS = [
  { from: 0, weight: 1 },
  { from: MEAN_DAYS.length * EVIDENCE_WIDTH, weight: 0.25 },
];

/** Shares of clean days at which a value is kept; a file rests on them. */
const SHARES = [0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001, 0.0005, 0.0002, 0.0001];
const NATS = SHARES.map((share) => -Math.log(share));
const RAREST = NATS.at(-1) as number;
const HIGHEST = BLOCKS.reduce((sum, { weight }) => sum + weight, 0) * Math.sqrt(KINDS.length) * RAREST;

/** What a bundle keeps: a model says the same before it is written and after it was read. */
const rounded = (value: number): number => Number(value.toPrecision(5));

export function learnRarity(rows: Float32Array): Rarity {
  const count = rows.length / ROW_WIDTH;
  const tails = Array.from({ length: ROW_WIDTH }, (_, index) => {
    const column = Float32Array.from({ length: count }, (__, row) => rows[row * ROW_WIDTH + index] as number).sort();
    const reached = SHARES.filter((share) => share * count >= 1);
    return tailOf(reached.map((share) => rounded(column[Math.floor((1 - share) * (count - 1))] as number)));
  });
  return { tails };
}

/** From the value that each of SHARES reaches. */
function tailOf(values: readonly number[]): Tail {
  // Of shares that end at the same value the smallest holds.
  return values.flatMap((value, index) => (value === values[index + 1] ? [] : [[value, NATS[index] as number]]));
}

/** From 0, nothing that is seldom, to 1. */
export function rarityOf(rarity: Rarity, row: Float32Array): number {
  let sum = 0;
  for (const { from, weight } of BLOCKS) {
    let squares = 0;
    for (const kind of COLUMNS) squares += kindOf(rarity, row, { from, kind }) ** 2;
    sum += weight * Math.sqrt(squares);
  }
  return sum / HIGHEST;
}

/** Of the day's evidence, which part of the rarity is whose; not scaled. */
export function raritySavings(rarity: Rarity, row: Float32Array): Float64Array {
  const savings = new Float64Array(EVIDENCE_WIDTH);
  for (const { from, weight } of BLOCKS) {
    for (const kind of COLUMNS) {
      const whole = kindOf(rarity, row, { from, kind });
      for (const index of kind)
        savings[index] = (savings[index] as number) + (weight * whole * nats(rarity, row, from + index)) / kind.length;
    }
  }
  return savings;
}

function kindOf(rarity: Rarity, row: Float32Array, { from, kind }: { from: number; kind: readonly number[] }): number {
  let sum = 0;
  for (const index of kind) sum += nats(rarity, row, from + index);
  return sum / kind.length;
}

function nats({ tails }: Rarity, row: Float32Array, index: number): number {
  const value = row[index] as number;
  const tail = tails[index];
  if (!(value > 0) || tail === undefined) return 0;
  let before: readonly [number, number] = [0, 0];
  for (const knot of tail) {
    const [at, rare] = knot;
    if (value < at) {
      const [from, less] = before;
      return less + ((rare - less) * (value - from)) / (at - from);
    }
    before = knot;
  }
  return before[1];
}

/** Of each number of a row, the value that each of SHARES reaches; less than all of them where there were few days. */
export const rarityFileSchema = z.array(z.array(z.number().min(0)).max(SHARES.length)).length(ROW_WIDTH);
export type RarityFile = z.infer<typeof rarityFileSchema>;

export const packRarity = ({ tails }: Rarity): RarityFile =>
  tails.map((tail) => {
    let kept = 0;
    return NATS.flatMap((nats) => {
      const [value, rare] = tail[kept] ?? [];
      if (value === undefined || rare === undefined) return [];
      if (nats >= rare) kept += 1;
      return [value];
    });
  });

/** Undefined where values fall. */
export function parseRarity(file: RarityFile): Rarity | undefined {
  const rises = file.every((values) => values.every((value, index) => value >= (values[index - 1] ?? 0)));
  return rises ? { tails: file.map(tailOf) } : undefined;
}
