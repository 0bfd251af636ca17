import { expect, test } from 'vitest';
import type { DayEpisode } from './episodes.js';
import { lostEnergyWh, rankEpisodes, worthOf } from './ranking.js';

const N = Number.NaN;
const episode: DayEpisode = { firstDay: 10, openedDay: 12, lastDay: 19, highest: 1, mean: 0.8 };

test('lost is what lacks, never what was used in excess, and unknown days cost nothing', () => {
  expect(lostEnergyWh({ expectedWh: [1_000, 1_000, N, 1_000], actualWh: [400, 1_500, 0, N] })).toBe(600);
});

test('where the balance speaks, it decides', () => {
  expect(lostEnergyWh({ expectedWh: [1_000, 1_000], actualWh: [400, 400], attributedWh: [900, N] })).toBe(1_500);
});

test('recoverable is loss × tariff × confidence', () => {
  const energy = { expectedWh: [10_000], actualWh: [2_000] };
  const worth = worthOf(episode, { energy, threshold: 0.6, tariffPerKwh: 0.25 });
  expect(worth.lostWh).toBe(8_000);
  expect(worth.confidence).toBeCloseTo(0.65, 12);
  expect(worth.recoverable).toBeCloseTo(8 * 0.25 * 0.65, 12);
});

test('confidence grows with the score and with the days that were seen, from 0 to 1', () => {
  const energy = { expectedWh: [1_000], actualWh: [0] };
  const confidence = (mean: number, days: number) =>
    worthOf({ ...episode, mean, lastDay: 9 + days }, { energy, threshold: 0.6, tariffPerKwh: 1 }).confidence;
  expect(confidence(1, 7)).toBe(1);
  expect(confidence(0.9, 7)).toBeLessThan(1);
  expect(confidence(0.9, 2)).toBeLessThan(confidence(0.9, 3));
  expect(confidence(0.6, 7)).toBeGreaterThan(0);
});

test('the visit that recovers most comes first', () => {
  const of = (recoverable: number) => ({ worth: { lostWh: 1, confidence: 1, recoverable } });
  expect(rankEpisodes([of(2), of(9), of(5)]).map(({ worth }) => worth.recoverable)).toEqual([9, 5, 2]);
});
