import { expect, test } from 'vitest';
import { trainDayModel } from '../day-model.js';
import { addBalance, rawScores } from '../evaluation/theft-scores.js';
import { gatherFleetEvidence } from '../features/fleet-evidence.js';
import type { FleetPower, MeterSigns } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { LANGUAGES } from '../language.js';
import { dayFacts } from './day-facts.js';
import { classify, type DayFacts, type Refinement } from './finding.js';
import { sentenceOf } from './sentence.js';

const DAYS = 112;
const FROM = 102;
const DAY = 110;
const METER = 4;
const CLEAN = { from: 0, to: FROM - 3 };
const honest = createSmallFleet({ meters: 8, feeders: 2, days: DAYS });
const model = trainDayModel({ fleet: honest, clean: CLEAN, seed: 1, trees: 20 });

const reporting = (report: (watts: number, slot: number) => number, fromDay = FROM, fleet = honest): FleetPower =>
  withReport(fleet, METER, { fromDay, report });

const showing = (fleet: FleetPower, signs: MeterSigns): FleetPower => ({
  ...fleet,
  meters: fleet.meters.map((one, index) => (index === METER ? { ...one, signs } : one)),
});

function factsOf(fleet: FleetPower): DayFacts {
  const told = dayFacts({ fleet, evidence: gatherFleetEvidence(fleet), model }, { meter: METER, day: DAY });
  if (told === undefined) throw new Error('the day was not judged');
  return told;
}

const refinementOf = (fleet: FleetPower): Refinement | null => classify(factsOf(fleet)).refinement;

/** The first value on the days before, the second from then on. */
const from = (usual: number, now: number): number[] =>
  Array.from({ length: DAYS }, (_, day) => (day < FROM ? usual : now));

const half = reporting((watts) => 0.5 * watts);
const nothing = reporting(() => 0);

test.each<[Refinement, FleetPower, MeterSigns, RegExp, RegExp]>([
  ['tamper_flag', half, { tamperFlag: Uint8Array.from(from(0, 1)) }, /itself reports/, /signale lui-même/],
  [
    'register_rollback',
    half,
    { rolledBackWh: Float32Array.from(from(0, 42_000)) },
    /went back by 42\.0\u00a0kWh/,
    /a reculé de 42,0\u00a0kWh/,
  ],
  [
    'stopped_meter',
    nothing,
    { lowestVoltageV: Float32Array.from(from(229, 227)) },
    /100\u00a0% of the day with at least 227\u00a0V/,
    /100\u00a0% de la journée avec au moins 227\u00a0V/,
  ],
  [
    'lost_phase',
    half,
    { silentPhases: Uint8Array.from(from(0, 1)) },
    /one phase carried nothing/,
    /une phase n’a rien/,
  ],
])('%s comes from what a meter shows on that day, with its sentence', (refinement, fleet, signs, english, french) => {
  const told = factsOf(showing(fleet, signs));
  expect(classify(told).refinement).toBe(refinement);
  expect(sentenceOf(told, 'en')).toMatch(english);
  expect(sentenceOf(told, 'fr')).toMatch(french);
  // What it showed on earlier days only says nothing of this one.
  const before = Object.fromEntries(Object.entries(signs).map(([name, days]) => [name, days.toReversed()]));
  if (refinement !== 'stopped_meter') expect(refinementOf(showing(fleet, before))).not.toBe(refinement);
});

test('neither an outage nor a meter that measures no voltage is a stopped meter', () => {
  expect(refinementOf(showing(nothing, { lowestVoltageV: Float32Array.from(from(229, 0)) }))).not.toBe('stopped_meter');
  expect(refinementOf(showing(nothing, { lowestVoltageV: Float32Array.from(from(229, Number.NaN)) }))).not.toBe(
    'stopped_meter',
  );
  expect(refinementOf(nothing)).not.toBe('stopped_meter');
});

test('signs are for words: scores do not know of them', () => {
  const scoresOf = (fleet: FleetPower) => {
    const raw = rawScores(fleet, gatherFleetEvidence(fleet), model);
    return [raw, addBalance(fleet, raw, CLEAN).scores];
  };
  const signs = { tamperFlag: Uint8Array.from(from(0, 1)), lowestVoltageV: Float32Array.from(from(229, 0)) };
  expect(scoresOf(showing(half, signs))).toEqual(scoresOf(half));
});

/** At noon of every day; more of it from a day on. */
const panels = (watts: number, slot: number): number =>
  slot % 48 > 20 && slot % 48 < 30 ? watts - 1_500 * (slot < FROM * 48 ? 1 : 2) : watts;

test('a meter counts backwards where it never did, and not where panels always fed in', () => {
  const reversed = factsOf(reporting((watts) => -0.4 * watts));
  expect(classify(reversed).refinement).toBe('reversed');
  expect(reversed.usualLowestW).toBeGreaterThan(0);
  for (const language of LANGUAGES) expect(sentenceOf(reversed, language)).toMatch(/-\d.*\d\u00a0k?W.*\d\u00a0W/);
  const sunny = reporting(panels, 0);
  for (const fleet of [sunny, reporting((watts) => 0.3 * watts, FROM, sunny)]) {
    const told = factsOf(fleet);
    expect(told.lowestPowerW).toBeLessThan(-500);
    expect(told.expectedWh).toBeGreaterThan(0);
    expect(classify(told).refinement).not.toBe('reversed');
    expect(sentenceOf(told, 'en')).not.toContain('backwards');
  }
});
