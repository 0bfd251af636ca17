import { expect, test } from 'vitest';
import { LANGUAGES } from '../language.js';
import { classify, type DayFacts, REFINEMENTS, type Refinement } from './finding.js';
import { sentenceOf } from './sentence.js';

const low: DayFacts = { expectedWh: 8_400, actualWh: 3_100, contributions: [{ feature: 'whole_drop', share: 0.8 }] };

/** What makes each refinement, and nothing that comes before it, hold. */
const FACTS: Readonly<Record<Refinement, DayFacts>> = {
  tamper_flag: { ...low, tamperFlag: true },
  register_rollback: { ...low, rolledBackWh: 120_000 },
  reversed: { ...low, lowestPowerW: -740, usualLowestW: 55 },
  stopped_meter: { ...low, actualWh: 0, zeroShare: 1, lowestVoltageV: 228 },
  lost_phase: { ...low, silentPhases: 1 },
  capped: { ...low, atCapShare: 0.3, capW: 620, contributions: [{ feature: 'ties_at_cap', share: 0.6 }] },
  night_zero: { ...low, nightZeroShare: 1, zeroShare: 0.25 },
  zero_hours: { ...low, zeroShare: 0.4, contributions: [{ feature: 'zero_run', share: 0.7 }] },
  bypass: { ...low, feederLossWh: 5_600, feederShare: 0.97 },
};

test.each(REFINEMENTS)('%s is recognised, and by its own facts alone', (refinement) => {
  expect(classify(FACTS[refinement]).refinement).toBe(refinement);
  expect(classify(low).refinement).toBeNull();
});

test('whoever has always fed in does not count backwards, and nor does whose past nobody knows', () => {
  expect(classify({ ...low, lowestPowerW: -2_400, usualLowestW: -1_900 }).refinement).toBeNull();
  expect(classify({ ...low, lowestPowerW: -740 }).refinement).toBeNull();
});

test('the type follows the energy and the evidence', () => {
  expect(classify(low).type).toBe('low_consumption');
  expect(classify({ ...low, actualWh: 20_000 }).type).toBe('high_consumption');
  expect(classify({ ...low, contributions: [{ feature: 'near_cap', share: 0.9 }] }).type).toBe('unusual_pattern');
  expect(classify({ ...low, actualWh: 8_300 }).type).toBe('unusual_pattern');
});

test('the sentence an inspector reads, in both languages', () => {
  const facts = { ...low, feederLossWh: 5_600, feederShare: 0.97 };
  const plain = (sentence: string) => sentence.replaceAll('\u00a0', ' ');
  expect(plain(sentenceOf(facts, 'en'))).toBe(
    'Reported 3.1 kWh in a day where 8.4 kWh were expected (63 % less); its feeder lost 5.6 kWh that day, 97 % of which fits a bypass of this meter.',
  );
  expect(plain(sentenceOf(facts, 'fr'))).toBe(
    'A déclaré 3,1 kWh sur une journée où 8,4 kWh étaient attendus (63 % de moins) ; son départ a perdu 5,6 kWh ce jour-là, dont 97 % correspondent à une dérivation de ce compteur.',
  );
});

test.each(LANGUAGES)(
  'in %s a loss of the feeder is told where a part of it fits the meter, never more than all of it',
  (language) => {
    const told = (feederShare: number) => sentenceOf({ ...FACTS.capped, feederLossWh: 5_600, feederShare }, language);
    const untold = sentenceOf(FACTS.capped, language);
    for (const share of [-0.18, 0, 0.049, Number.NaN]) expect(told(share)).toBe(untold);
    expect(told(0.05)).toMatch(/5[.,]6\u00a0kWh.*\D5\u00a0%/);
    expect(told(1.7)).toMatch(/\D100\u00a0%/);
    expect(told(1.7)).not.toContain('170');
  },
);

test.each(LANGUAGES)('no figure in %s is parted from its unit at the end of a line', (language) => {
  const sentence = sentenceOf({ ...FACTS.stopped_meter, feederLossWh: 5_600, feederShare: 0.97 }, language);
  expect(sentence).toMatch(/\d\u00a0kWh.*\d\u00a0%.*\d\u00a0V/);
  expect(sentence).not.toMatch(/\d (%|k?W|V)| ;/);
});

test.each(LANGUAGES)('every refinement has a sentence in %s, without a figure that is none', (language) => {
  const sentences = REFINEMENTS.map((refinement) => sentenceOf(FACTS[refinement], language));
  expect(new Set(sentences).size).toBe(REFINEMENTS.length);
  for (const sentence of sentences) {
    expect(sentence).toMatch(/\d.*Wh.*\.$/);
    expect(sentence).not.toMatch(/NaN|Infinity|undefined/);
  }
});

test('a meter of which nothing was expected gets no percentage', () => {
  expect(sentenceOf({ expectedWh: 0, actualWh: 500, contributions: [] }, 'en')).toBe(
    'Reported 500\u00a0Wh in a day where 0\u00a0Wh were expected.',
  );
});
