import { keptTogether, type Language } from '../language.js';
import { classify, type DayFacts, type Refinement } from './finding.js';

/** A smaller part of a feeder's loss fits most of its meters by chance, and the regression also gives negative ones. */
const TOLD_SHARE = 0.05;

/** One sentence with figures and units that an inspector can check, and that can stand in a dispute. */
export function sentenceOf(facts: DayFacts, language: Language): string {
  const words = WORDS[language];
  const { refinement, type } = classify(facts);
  const parts = [words.energy(facts, figuresIn(language))];
  if (refinement !== null) parts.push(words.refinements[refinement](facts, figuresIn(language)));
  else if (type === 'unusual_pattern') parts.push(words.pattern);
  // A bypass is told by the balance itself.
  if (refinement !== 'bypass' && fitsFeeder(facts)) parts.push(words.feeder(facts, figuresIn(language)));
  return keptTogether(`${parts.join(words.joint)}.`);
}

const fitsFeeder = ({ feederLossWh = 0, feederShare = 0 }: DayFacts): boolean =>
  feederLossWh > 0 && feederShare >= TOLD_SHARE;

interface Figures {
  energy(wh: number): string;
  power(watts: number): string;
  voltage(volts: number): string;
  percent(share: number): string;
  count(value: number): string;
}

function figuresIn(language: Language): Figures {
  const written = (value: number, digits: number) =>
    value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const kilo = (value: number, unit: string) =>
    Math.abs(value) >= 1_000 ? `${written(value / 1_000, 1)} k${unit}` : `${written(value, 0)} ${unit}`;
  return {
    energy: (wh) => kilo(wh, 'Wh'),
    power: (watts) => kilo(watts, 'W'),
    voltage: (volts) => `${written(volts, 0)} V`,
    percent: (share) => `${written(share * 100, 0)} %`,
    count: (value) => written(value, 0),
  };
}

type Phrase = (facts: DayFacts, figures: Figures) => string;

interface Words {
  readonly energy: Phrase;
  readonly feeder: Phrase;
  readonly pattern: string;
  readonly joint: string;
  readonly refinements: Readonly<Record<Refinement, Phrase>>;
}

/** By how much the day differs from what was expected; nothing where nothing was expected. */
function difference({ actualWh, expectedWh }: DayFacts, { percent }: Figures, [less, more]: readonly [string, string]) {
  if (!(expectedWh > 0)) return '';
  const share = actualWh / expectedWh - 1;
  return ` (${percent(Math.abs(share))} ${share < 0 ? less : more})`;
}

const EN: Words = {
  joint: '; ',
  energy: (facts, figures) =>
    `Reported ${figures.energy(facts.actualWh)} in a day where ${figures.energy(facts.expectedWh)} were expected${difference(facts, figures, ['less', 'more'])}`,
  feeder: ({ feederLossWh = 0, feederShare = 0 }, { energy, percent }) =>
    `its feeder lost ${energy(feederLossWh)} that no meter reported, ${percent(Math.min(feederShare, 1))} of which fits this meter`,
  pattern: 'the day does not follow the meter’s own pattern',
  refinements: {
    tamper_flag: () => 'the meter itself reports that it was tampered with',
    register_rollback: ({ rolledBackWh = 0 }, { energy }) => `its register went back by ${energy(rolledBackWh)}`,
    reversed: ({ lowestPowerW = 0, usualLowestW = 0 }, { power }) =>
      `it counted backwards, down to ${power(lowestPowerW)}, where its lowest had been ${power(usualLowestW)}`,
    stopped_meter: ({ zeroShare = 0, lowestVoltageV = 0 }, { percent, voltage }) =>
      `it stood still for ${percent(zeroShare)} of the day with at least ${voltage(lowestVoltageV)} at its terminals`,
    lost_phase: ({ silentPhases = 0 }, { count }) =>
      silentPhases === 1
        ? 'one phase carried nothing while others did'
        : `${count(silentPhases)} phases carried nothing while another did`,
    capped: ({ atCapShare = 0, capW = 0 }, { percent, power }) =>
      `it never exceeded ${power(capW)}, where it stood for ${percent(atCapShare)} of the day`,
    night_zero: ({ nightZeroShare = 0 }, { percent }) =>
      `it reported nothing for ${percent(nightZeroShare)} of the night`,
    zero_hours: ({ zeroShare = 0 }, { percent }) => `it reported nothing for ${percent(zeroShare)} of the day`,
    bypass: ({ feederLossWh = 0, feederShare = 0 }, { energy, percent }) =>
      `its feeder lost ${energy(feederLossWh)} that day, ${percent(Math.min(feederShare, 1))} of which fits a bypass of this meter`,
  },
};

const FR: Words = {
  joint: ' ; ',
  energy: (facts, figures) =>
    `A déclaré ${figures.energy(facts.actualWh)} sur une journée où ${figures.energy(facts.expectedWh)} étaient attendus${difference(facts, figures, ['de moins', 'de plus'])}`,
  feeder: ({ feederLossWh = 0, feederShare = 0 }, { energy, percent }) =>
    `son départ a perdu ${energy(feederLossWh)} qu’aucun compteur n’a déclarés, dont ${percent(Math.min(feederShare, 1))} s’expliquent par ce compteur`,
  pattern: 'la journée ne suit pas l’allure habituelle du compteur',
  refinements: {
    tamper_flag: () => 'le compteur signale lui-même une manipulation',
    register_rollback: ({ rolledBackWh = 0 }, { energy }) => `son index a reculé de ${energy(rolledBackWh)}`,
    reversed: ({ lowestPowerW = 0, usualLowestW = 0 }, { power }) =>
      `il a compté à l’envers, jusqu’à ${power(lowestPowerW)}, alors que son minimum était de ${power(usualLowestW)}`,
    stopped_meter: ({ zeroShare = 0, lowestVoltageV = 0 }, { percent, voltage }) =>
      `il est resté arrêté ${percent(zeroShare)} de la journée avec au moins ${voltage(lowestVoltageV)} à ses bornes`,
    lost_phase: ({ silentPhases = 0 }, { count }) =>
      silentPhases === 1
        ? 'une phase n’a rien mesuré alors que d’autres mesuraient'
        : `${count(silentPhases)} phases n’ont rien mesuré alors qu’une autre mesurait`,
    capped: ({ atCapShare = 0, capW = 0 }, { percent, power }) =>
      `il n’a jamais dépassé ${power(capW)}, où il est resté ${percent(atCapShare)} de la journée`,
    night_zero: ({ nightZeroShare = 0 }, { percent }) =>
      `il n’a rien déclaré pendant ${percent(nightZeroShare)} de la nuit`,
    zero_hours: ({ zeroShare = 0 }, { percent }) => `il n’a rien déclaré pendant ${percent(zeroShare)} de la journée`,
    bypass: ({ feederLossWh = 0, feederShare = 0 }, { energy, percent }) =>
      `son départ a perdu ${energy(feederLossWh)} ce jour-là, dont ${percent(Math.min(feederShare, 1))} correspondent à une dérivation de ce compteur`,
  },
};

const WORDS: Readonly<Record<Language, Words>> = { en: EN, fr: FR };
