import { expect, test } from 'vitest';
import { ANOMALY_TYPES, type AnomalyType } from '../../agent/domain/anomaly.js';
import type { TheftEvidence } from './features.js';
import { LANGUAGES, type Language } from './language.js';
import { slotSentence } from './slot-sentence.js';
import type { TheftScore } from './theft-score.js';

const EVIDENCE: TheftEvidence = {
  lastHourW: 12,
  yesterdayW: 412.4,
  floorW: 55,
  zeros: { lastHour: 0.75, before: 0.02 },
  flat: { lastHour: 1, before: 0.1 },
} as TheftEvidence;

const scoredBy = (feature: string, slotMinutes: number): TheftScore =>
  ({
    raw: 0.7,
    score: 0.8,
    expectedWh: 33.4,
    actualWh: 1.04,
    slotMinutes,
    contributions: [{ feature, share: 0.8 }],
  }) as TheftScore;

const sentence = (language: Language, feature: string, slotMinutes = 5, type: AnomalyType = 'low_consumption') =>
  slotSentence(type, scoredBy(feature, slotMinutes), { evidence: EVIDENCE, language });
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

test('zeros of the last hour, in both languages', () => {
  expect(plain(sentence('en', 'new_zeros'))).toBe(
    'Registered nothing in 75 % of the last hour, and in 2 % of the day before; 1.0 Wh in five minutes where 33 Wh were expected.',
  );
  expect(plain(sentence('fr', 'new_zeros'))).toBe(
    'N’a rien enregistré pendant 75 % du temps sur la dernière heure, contre 2 % sur les 24 heures précédentes ; 1,0 Wh en cinq minutes là où 33 Wh étaient attendus.',
  );
});

test('slots of half an hour are spoken of in hours and days', () => {
  expect(plain(sentence('en', 'shortfall', 30))).toBe(
    'Used only 1.0 Wh in 30 minutes where 33 Wh were expected; the last 6 hours averaged 12 W, the same hours 6 days before 412 W.',
  );
  expect(plain(sentence('fr', 'shortfall', 30))).toBe(
    'N’a consommé que 1,0 Wh en 30 minutes là où 33 Wh étaient attendus ; en moyenne 12 W sur les 6 dernières heures, contre 412 W les mêmes heures 6 jours plus tôt.',
  );
});

test('a home that feeds in is neither said to use a negative energy nor to be lower than ever where its hour is not', () => {
  const evidence = { ...EVIDENCE, lastHourW: -900, yesterdayW: -700, floorW: -1_000 };
  const of = (feature: string, language: Language) =>
    plain(
      slotSentence(
        'low_consumption',
        { ...scoredBy(feature, 5), actualWh: -81, expectedWh: -60 },
        { evidence, language },
      ),
    );
  for (const feature of ['shortfall', 'new_lows']) {
    expect(of(feature, 'en')).toBe(
      'Counted -81 Wh in five minutes where -60 Wh were expected; the last hour averaged -900 W, the same hour yesterday -700 W.',
    );
    expect(of(feature, 'fr')).toBe(
      'A compté -81 Wh en cinq minutes là où -60 Wh étaient attendus ; en moyenne -900 W sur la dernière heure, contre -700 W la même heure la veille.',
    );
  }
});

test.each(LANGUAGES)(
  'in %s every kind of evidence and every type has a sentence of its own, each figure with its unit',
  (language) => {
    const sentences = [
      ...['new_zeros', 'new_flatness', 'new_lows'].map((feature) => sentence(language, feature)),
      ...ANOMALY_TYPES.map((type) => sentence(language, 'shortfall', 5, type)),
    ];
    expect(new Set(sentences).size).toBe(6);
    for (const one of sentences) {
      expect(one).toMatch(/^\p{Lu}.*\d\u00a0Wh.*\.$/u);
      expect(one).not.toMatch(/\d (%|k?W|V)| [;:]|NaN|undefined/);
    }
  },
);
