import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { episodesOf } from '../episodes/episodes.js';
import { createSmallFleet } from '../generated-fleet.js';
import { episodeThreshold, measureRanking } from './theft-eval.js';
import { cleanQuantile } from './theft-scores.js';
import { ownRule } from './visits.js';

const CLEAN = { from: 0, to: 99 };
const days = (score: (day: number) => number) => Float64Array.from({ length: 120 }, (_, day) => score(day));

test('clean days that are all the same, or nearly all of them, raise no alarm without feeders', () => {
  const same = [days(() => 0), days(() => 0)];
  expect(
    episodesOf(
      days(() => 0),
      () => ownRule(episodeThreshold(same, CLEAN)),
    ),
  ).toEqual([]);
  const oneOdd = [days(() => 0.3), days((day) => (day === 50 ? 0.4 : 0.3))];
  expect(episodeThreshold(oneOdd, CLEAN)).toBeCloseTo(0.35, 10);
  expect(
    episodesOf(
      days(() => 0.3),
      () => ownRule(episodeThreshold(oneOdd, CLEAN)),
    ),
  ).toEqual([]);
});

test('where scores differ the threshold stays the quantile of clean days, to the last bit', () => {
  const random = seededRandom(1);
  for (const meters of [1, 3, 7]) {
    const scores = Array.from({ length: meters }, () => days((day) => (day % 11 === 0 ? Number.NaN : random())));
    expect(episodeThreshold(scores, CLEAN)).toBe(cleanQuantile(scores, CLEAN, 0.99));
    const whole = Array.from({ length: meters }, () => days(random));
    expect(episodeThreshold(whole, CLEAN)).toBe(cleanQuantile(whole, CLEAN, 0.99));
  }
  // 101 days: the quantile is itself a day's score.
  const exact = [days((day) => day)];
  expect(episodeThreshold(exact, { from: 0, to: 100 })).toBe(99);
});

test('who steals twice is one thief: as many first meters are counted as there are thieves', () => {
  const fleet = createSmallFleet({ meters: 3, days: 120 });
  const theft = { meter: 'meter-1', type: 'FDI1' };
  const labels = [
    { ...theft, firstDay: 60, lastDay: 70 },
    { ...theft, firstDay: 90, lastDay: 99 },
  ];
  const scores = fleet.meters.map((_, meter) => days(() => (meter === 1 ? 0.9 : 0.1)));
  const outcome = { fleet, labels, test: { from: 50, to: 119 }, scores, ruleOn: () => ownRule(0.5) };
  expect(measureRanking(outcome, outcome)).toMatchObject({ k: 1, hits_feeder: 1, hits_no_feeder: 1 });
});
