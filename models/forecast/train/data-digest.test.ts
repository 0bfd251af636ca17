import { expect, test } from 'vitest';
import { epochMs } from '../../../agent/domain/brand.js';
import type { MeterSeries } from '../../series.js';
import { createHouseholds } from '../../synthetic.js';
import { NOWHERE } from '../../window/calendar.js';
import { utc, zoneOffset } from '../../window/zone.js';
import { HORIZONS, horizonsFor } from '../horizons.js';
import { dataDigest } from './data-digest.js';

const shape = { slotMinutes: 5, horizons: HORIZONS };
/** Over the end of March, when clocks change. */
const homes = createHouseholds({ meters: 2, days: 7, seed: 5, startMs: epochMs(Date.UTC(2024, 2, 28)) });
const digest = dataDigest(homes, shape);

const changed = (change: (home: MeterSeries) => Partial<MeterSeries>): readonly MeterSeries[] =>
  homes.map((home, index) => (index === 0 ? { ...home, ...change(home) } : home));

test('the same data in the same place have the same digest', () => {
  expect(
    dataDigest(
      homes.map((home) => ({ ...home, powerW: home.powerW.slice() })),
      shape,
      NOWHERE,
    ),
  ).toBe(digest);
  expect(dataDigest(homes, shape, { utcOffsetMs: zoneOffset('UTC') })).toBe(digest);
});

test.each<[string, readonly MeterSeries[]]>([
  ['one value', changed(({ powerW }) => ({ powerW: powerW.map((watts, slot) => (slot === 500 ? watts + 1 : watts)) }))],
  ['a gap', changed(({ powerW }) => ({ powerW: powerW.map((watts, slot) => (slot === 500 ? Number.NaN : watts)) }))],
  ['the unit', changed(({ powerW }) => ({ powerW: powerW.map((watts) => watts * 1_000) }))],
  ['the start', changed(({ startMs }) => ({ startMs: epochMs(startMs + 300_000) }))],
  ['how often a meter is drawn', changed(() => ({ draws: 2 }))],
  ['weather', changed(({ powerW }) => ({ temperatureC: powerW.map(() => 7) }))],
  ['a place of its own', changed(() => ({ place: { utcOffsetMs: zoneOffset('Europe/Paris') } }))],
  ['a span that is left out', changed(({ startMs }) => ({ excludedMs: [[startMs, startMs + 300_000]] }))],
  ['the order', homes.toReversed()],
])('%s makes another one', (_, series) => {
  expect(dataDigest(series, shape)).not.toBe(digest);
});

test('so do the place and the width of slots', () => {
  const places = [
    { utcOffsetMs: utc, country: 'FR' },
    { utcOffsetMs: zoneOffset('Europe/Paris') },
    // An hour ahead of UTC as well, but without a summer time.
    { utcOffsetMs: zoneOffset('Africa/Algiers') },
  ];
  const digests = [digest, dataDigest(homes, { slotMinutes: 30, horizons: horizonsFor(30) })];
  for (const place of places) digests.push(dataDigest(homes, shape, place));
  expect(new Set(digests).size).toBe(digests.length);
});
