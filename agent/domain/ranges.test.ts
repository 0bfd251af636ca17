import { expect, test } from 'vitest';
import { seededRandom } from './clock.js';
import { addRange, boundRanges, endOf, gapsOf, prefixOf, type Range, type Ranges } from './ranges.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const LENGTH = 60;

const positions = (ranges: Ranges): number[] =>
  ranges.flatMap(({ after, upTo }) => Array.from({ length: upTo - after }, (_, index) => after + 1 + index));

test('a list of ranges holds what a plain set holds, and stays as short as can be', () => {
  console.log(`FUZZ_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const below = (n: number): number => Math.floor(random() * n);
  for (let run = 0; run < RUNS; run += 1) {
    const plain = new Set<number>();
    let ranges: Ranges = [];
    for (let step = below(30); step >= 0; step -= 1) {
      const after = below(LENGTH);
      const range: Range = { after, upTo: after + below(9) - 1 };
      for (let position = range.after + 1; position <= range.upTo; position += 1) plain.add(position);
      ranges = addRange(ranges, range);
      const sorted = [...plain].sort((a, b) => a - b);
      expect(positions(ranges)).toEqual(sorted);
      expect(endOf(ranges)).toBe(sorted.at(-1) ?? 0);
      expect(prefixOf(ranges)).toBe(firstMissing(plain) - 1);
      const missing = Array.from({ length: endOf(ranges) }, (_, index) => index + 1).filter((at) => !plain.has(at));
      expect(positions(gapsOf(ranges))).toEqual(missing);
      // Maximal runs: a shorter list of the same positions does not exist.
      expect(ranges).toHaveLength(sorted.filter((at) => !plain.has(at - 1)).length);
    }
    const max = 1 + below(5);
    const bounded = boundRanges(ranges, max);
    expect(bounded.length).toBe(Math.min(max, ranges.length));
    expect(ranges).toEqual(expect.arrayContaining([...bounded]));
    expect(prefixOf(bounded)).toBe(prefixOf(ranges));
  }
});

function firstMissing(plain: ReadonlySet<number>): number {
  let at = 1;
  while (plain.has(at)) at += 1;
  return at;
}

test('of a list that is too long the shortest range is forgotten', () => {
  const ranges = [
    { after: 0, upTo: 1 },
    { after: 10, upTo: 20 },
    { after: 30, upTo: 33 },
  ];
  expect(boundRanges(ranges, 2)).toEqual([ranges[0], ranges[1]]);
});
