import { expect, test } from 'vitest';
import { createTally, meanOfScores, type Scores } from './scores.js';

const scores = (changes: Partial<Scores>): Scores => ({
  mae: 10,
  rmse: 20,
  mase: 0.5,
  mase_vs_seasonal: 0.5,
  pinball: 5,
  r2: 0.5,
  ...changes,
});

test('a ratio is the mean over those that have one, and of none no number', () => {
  const none = scores({ mase_vs_seasonal: Number.POSITIVE_INFINITY, r2: Number.NaN });
  expect(meanOfScores([scores({}), none])).toMatchObject({ mae: 10, mase_vs_seasonal: 0.5, r2: 0.5 });
  expect(meanOfScores([none, none])).toMatchObject({
    mae: 10,
    mase: 0.5,
    mase_vs_seasonal: Number.NaN,
    r2: Number.NaN,
  });
  expect(meanOfScores([])).toMatchObject({ mae: Number.NaN });
});

test('parts count as much as they hold', () => {
  const all = [scores({ mae: 10, coverage90: 0.9 }), scores({ mae: 30, coverage90: 0.5 })];
  expect(meanOfScores(all, [3, 1])).toMatchObject({ mae: 15, coverage90: 0.8 });
});

test('of a load that never changes nothing is explained, however it is rounded', () => {
  const tally = createTally();
  for (let slot = 0; slot < 1_000; slot++) tally.add(230.1, { median: 230, mean: 230 });
  expect(tally.r2).toBeNaN();
  tally.add(231, { median: 230, mean: 230 });
  expect(Number.isFinite(tally.r2)).toBe(true);
});
