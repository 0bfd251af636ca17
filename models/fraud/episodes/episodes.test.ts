import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { type EpisodeRule, episodesOf } from './episodes.js';

const rule: EpisodeRule = { threshold: 0.6, opens: { days: 2, of: 3 }, closesAfter: 2 };
const N = Number.NaN;

test('it opens on persistence, is dated from its first day, and closes after as many quiet days', () => {
  expect(episodesOf([0, 0.7, 0.1, 0.8, 0.9, 0.1, 0.2, 0.1], () => rule)).toEqual([
    { firstDay: 1, openedDay: 3, lastDay: 4, closedDay: 6, highest: 0.9, mean: (0.7 + 0.1 + 0.8 + 0.9) / 4 },
  ]);
});

test('a single day is none, and what goes on has no end', () => {
  expect(episodesOf([0, 0.9, 0, 0, 0], () => rule)).toEqual([]);
  const [open] = episodesOf([0, 0.9, 0.9], () => rule);
  expect(open).toMatchObject({ openedDay: 2, lastDay: 2 });
  expect(open).not.toHaveProperty('closedDay');
});

test('a day without a score neither closes nor opens', () => {
  expect(episodesOf([0.9, N, N, N, 0.9, N, N, N, 0.9], () => rule)).toMatchObject([
    { firstDay: 0, openedDay: 4, lastDay: 8 },
  ]);
  expect(episodesOf([N, N, N], () => rule)).toEqual([]);
});

test('days that follow change nothing that was known before', () => {
  const random = seededRandom(5);
  const scores = Array.from({ length: 300 }, () => (random() < 0.1 ? N : random()));
  const whole = episodesOf(scores, () => rule);
  expect(whole.length).toBeGreaterThan(10);
  for (let days = 0; days <= scores.length; days++) {
    const known = whole
      .filter(({ openedDay }) => openedDay < days)
      .map(({ openedDay, firstDay }) => [openedDay, firstDay]);
    expect(
      episodesOf(scores.slice(0, days), () => rule).map(({ openedDay, firstDay }) => [openedDay, firstDay]),
    ).toEqual(known);
  }
});

test('each day goes by its own rule', () => {
  const patient: EpisodeRule = { threshold: 0.4, opens: { days: 4, of: 5 }, closesAfter: 3 };
  const mixed = (day: number) => (day < 4 ? patient : rule);
  // Four days of little evidence open it for one rule, two of much for the other.
  expect(episodesOf([0.5, 0.5, 0.5, 0.5], mixed)).toMatchObject([{ firstDay: 0, openedDay: 3 }]);
  expect(episodesOf([0.5, 0, 0.5, 0.5, 0.5, 0.7, 0.7], mixed)).toMatchObject([{ openedDay: 5 }]);
  expect(episodesOf([0.5, 0, 0, 0, 0.5, 0.5, 0.5], mixed)).toEqual([]);
});
