import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { DAY_EVIDENCE, type DayEvidence } from './features/evidence.js';
import { ROW_WIDTH } from './features/evidence-row.js';
import { learnRarity, packRarity, rarityOf, raritySavings } from './rarity.js';

/** Of ten clean days nine show nothing of a kind; what they do show is between 0 and 4. */
const random = seededRandom(7);
const rows = Float32Array.from({ length: 4_000 * ROW_WIDTH }, () => (random() < 0.9 ? 0 : 4 * random()));
const rarity = learnRarity(rows);

function rowWith(evidence: Partial<Record<DayEvidence, number>>): Float32Array {
  const row = new Float32Array(ROW_WIDTH);
  for (const [index, name] of DAY_EVIDENCE.entries()) row[index] = evidence[name] ?? 0;
  return row;
}

test('no evidence is never rare, more of it never less so, and nothing exceeds 1', () => {
  expect(rarityOf(rarity, rowWith({}))).toBe(0);
  let before = 0;
  for (const level_drop of [0.001, 0.5, 1, 2, 3.9, 4, 8]) {
    const rare = rarityOf(rarity, rowWith({ level_drop }));
    expect(rare).toBeGreaterThanOrEqual(before);
    before = rare;
  }
  expect(before).toBeGreaterThan(0.05);
  const all = rarityOf(rarity, new Float32Array(ROW_WIDTH).fill(8));
  expect(all).toBeGreaterThan(0.5);
  expect(all).toBeLessThanOrEqual(1);
});

test('evidence of two kinds adds up to more than twice as much of one', () => {
  const both = rarityOf(rarity, rowWith({ level_drop: 3, ties_at_cap: 3 }));
  expect(both).toBeGreaterThan(rarityOf(rarity, rowWith({ level_drop: 3 })));
  expect(both).toBeGreaterThan(rarityOf(rarity, rowWith({ level_drop: 3, floor_drop: 0.01 })));
});

test('what is rare is laid to the evidence that is there', () => {
  const savings = raritySavings(rarity, rowWith({ zero_run: 3 }));
  expect([...savings.keys()].filter((index) => (savings[index] as number) > 0)).toEqual([
    DAY_EVIDENCE.indexOf('zero_run'),
  ]);
});

test('packed and read it says the same', () => {
  const read = { tails: JSON.parse(JSON.stringify(packRarity(rarity))) as typeof rarity.tails };
  const row = rowWith({ level_drop: 2.5, new_zeros: 1.5, near_cap: 0.3 });
  expect(rarityOf(read, row)).toBe(rarityOf(rarity, row));
});
