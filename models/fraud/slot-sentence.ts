import type { AnomalyType } from '../../agent/domain/anomaly.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { SLOTS_PER_HOUR } from '../forecast/horizons.js';
import type { TheftEvidence } from './features.js';
import { keptTogether, type Language } from './language.js';
import type { TheftScore } from './theft-score.js';

const MINUTES_PER_DAY = 1_440;

interface Known {
  readonly evidence: TheftEvidence;
  readonly language: Language;
}

/** What a slot, and the hour that it ends, say against the meter: one sentence with figures and units. */
export function slotSentence(type: AnomalyType, scored: TheftScore, { evidence, language }: Known): string {
  const words = WORDS[language];
  const { percent, watts, energy } = figuresIn(language);
  const { lastHourW, yesterdayW, floorW, zeros, flat } = evidence;
  const spans = words.spans(scored.slotMinutes);
  const slot = words.energy(energy(scored.actualWh), energy(scored.expectedWh), spans);
  const strongest = scored.contributions[0]?.feature;
  if (strongest === 'new_zeros') {
    return keptTogether(words.zeros(percent(zeros.lastHour), percent(zeros.before), spans, slot));
  }
  if (strongest === 'new_flatness') {
    const [now, before] = [percent(flat.lastHour), percent(flat.before)];
    return keptTogether(words.flat({ now, before, at: watts(lastHourW) }, spans, slot));
  }
  // Single slots can lie below all of the past while the hour does not, where panels feed in say.
  if ((strongest === 'new_lows' || strongest === 'below_floor') && lastHourW < floorW) {
    return keptTogether(words.lowest(watts(lastHourW), watts(floorW), spans, slot));
  }
  const hour = words.hour(watts(lastHourW), watts(yesterdayW), spans);
  // Who feeds in uses nothing, and whether that is usual a window of a day cannot tell.
  const isFedIn = type === 'low_consumption' && scored.actualWh < 0;
  return keptTogether(isFedIn ? words.negative(slot, hour) : words[type](slot, hour));
}

interface Spans {
  readonly slot: string;
  readonly lastHour: string;
  readonly hourBefore: string;
  readonly past: string;
}

interface Words {
  spans(slotMinutes: number): Spans;
  energy(actual: string, expected: string, spans: Spans): string;
  hour(now: string, before: string, spans: Spans): string;
  zeros(now: string, before: string, spans: Spans, energy: string): string;
  flat(
    shares: { readonly now: string; readonly before: string; readonly at: string },
    spans: Spans,
    energy: string,
  ): string;
  lowest(now: string, floor: string, spans: Spans, energy: string): string;
  negative(energy: string, hour: string): string;
  low_consumption(energy: string, hour: string): string;
  high_consumption(energy: string, hour: string): string;
  unusual_pattern(energy: string, hour: string): string;
}

/** The evidence counts in slots: of a wider one, twelve are more than an hour and a window is more than a day. */
const hoursOf = (slotMinutes: number): number => (SLOTS_PER_HOUR * slotMinutes) / 60;
const daysOf = (slotMinutes: number): number => (WINDOW_SLOTS * slotMinutes) / MINUTES_PER_DAY;

const EN: Words = {
  spans(minutes) {
    if (minutes === SLOT_MINUTES)
      return {
        slot: 'five minutes',
        lastHour: 'the last hour',
        hourBefore: 'the same hour yesterday',
        past: 'the day before',
      };
    const [hours, days] = [hoursOf(minutes), daysOf(minutes)];
    return {
      slot: `${minutes} minutes`,
      lastHour: `the last ${hours} hours`,
      hourBefore: `the same hours ${days} days before`,
      past: `the ${days} days before`,
    };
  },
  energy: (actual, expected, { slot }) => `${actual} in ${slot} where ${expected} were expected`,
  hour: (now, before, { lastHour, hourBefore }) => `${lastHour} averaged ${now}, ${hourBefore} ${before}`,
  zeros: (now, before, { lastHour, past }, energy) =>
    `Registered nothing in ${now} of ${lastHour}, and in ${before} of ${past}; ${energy}.`,
  flat: ({ now, before, at }, { lastHour, past }, energy) =>
    `Stood still in ${now} of ${lastHour}, at ${at}, and in ${before} of ${past}; ${energy}.`,
  lowest: (now, floor, { lastHour, past }, energy) =>
    `Lower than at any time in ${past}: ${lastHour} averaged ${now}, the lowest such span then ${floor}; ${energy}.`,
  negative: (energy, hour) => `Counted ${energy}; ${hour}.`,
  low_consumption: (energy, hour) => `Used only ${energy}; ${hour}.`,
  high_consumption: (energy, hour) => `Used as much as ${energy}; ${hour}.`,
  unusual_pattern: (energy, hour) => `Did not follow its own pattern: ${energy}; ${hour}.`,
};

const FR: Words = {
  spans(minutes) {
    if (minutes === SLOT_MINUTES)
      return {
        slot: 'cinq minutes',
        lastHour: 'la dernière heure',
        hourBefore: 'la même heure la veille',
        past: 'les 24 heures précédentes',
      };
    const [hours, days] = [hoursOf(minutes), daysOf(minutes)];
    return {
      slot: `${minutes} minutes`,
      lastHour: `les ${hours} dernières heures`,
      hourBefore: `les mêmes heures ${days} jours plus tôt`,
      past: `les ${days} jours précédents`,
    };
  },
  energy: (actual, expected, { slot }) => `${actual} en ${slot} là où ${expected} étaient attendus`,
  hour: (now, before, { lastHour, hourBefore }) => `en moyenne ${now} sur ${lastHour}, contre ${before} ${hourBefore}`,
  zeros: (now, before, { lastHour, past }, energy) =>
    `N’a rien enregistré pendant ${now} du temps sur ${lastHour}, contre ${before} sur ${past} ; ${energy}.`,
  flat: ({ now, before, at }, { lastHour, past }, energy) =>
    `Est resté immobile à ${at} pendant ${now} du temps sur ${lastHour}, contre ${before} sur ${past} ; ${energy}.`,
  lowest: (now, floor, { lastHour, past }, energy) =>
    `Plus bas qu’à tout moment sur ${past} : en moyenne ${now} sur ${lastHour}, au plus bas ${floor} auparavant ; ${energy}.`,
  negative: (energy, hour) => `A compté ${energy} ; ${hour}.`,
  low_consumption: (energy, hour) => `N’a consommé que ${energy} ; ${hour}.`,
  high_consumption: (energy, hour) => `A consommé jusqu’à ${energy} ; ${hour}.`,
  unusual_pattern: (energy, hour) => `N’a pas suivi son allure habituelle : ${energy} ; ${hour}.`,
};

const WORDS: Readonly<Record<Language, Words>> = { en: EN, fr: FR };

function figuresIn(language: Language) {
  const written = (value: number, digits: number): string =>
    value.toLocaleString(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: false,
    });
  return {
    energy: (wh: number) => `${written(wh, Math.abs(wh) < 10 ? 1 : 0)} Wh`,
    percent: (share: number) => `${written(share * 100, 0)} %`,
    watts: (value: number) =>
      Math.abs(value) >= 10_000 ? `${written(value / 1_000, 1)} kW` : `${written(value, 0)} W`,
  };
}
