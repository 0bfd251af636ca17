import type { MeterId } from '../domain/brand.js';
import { ADVICE, isFault, isRefusal, meaningOf, type QualityCount, type Rule } from '../domain/quality.js';

/** How a meter did on one day, or over all of them. */
export interface Tally {
  readonly accepted: number;
  readonly refused: number;
  readonly flagged: number;
  /** Of refused and flagged, those that are faults: a repeat is not. */
  readonly faults: number;
}

export interface RuleCount {
  readonly rule: Rule;
  readonly count: number;
  /** The last case in words. */
  readonly detail: string;
}

export interface MeterQuality extends Tally {
  /** Null: meters that are not registered, all together. */
  readonly meter: MeterId | null;
  /** Faults per value set that came, 0..1. */
  readonly faultShare: number;
  readonly rules: readonly RuleCount[];
  /** In the order of the report's days; null where nothing came. */
  readonly days: readonly (Tally | null)[];
}

export interface RuleQuality extends RuleCount {
  readonly takes: 'refused' | 'flagged';
  readonly isFault: boolean;
  readonly meters: number;
  readonly meaning: string;
  readonly advice: string;
}

export interface QualityReport extends Tally {
  readonly gateway: string;
  readonly writtenAt: string;
  readonly days: readonly string[];
  readonly rules: readonly RuleQuality[];
  /** Worst first. */
  readonly meters: readonly MeterQuality[];
}

interface Frame {
  readonly gateway: string;
  readonly nowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Those of whom something is expected: one that sent nothing at all is in the report too. */
  readonly expected: Iterable<MeterId>;
}

type Sum = { -readonly [Key in keyof Tally]: Tally[Key] };
type RuleSum = { rule: Rule; count: number; detail: string };

interface MeterSum {
  readonly meter: MeterId | null;
  readonly total: Sum;
  readonly rules: Map<Rule, RuleSum>;
  readonly days: (Sum | null)[];
}

const DAY_MS = 86_400_000;

const none = (): Sum => ({ accepted: 0, refused: 0, flagged: 0, faults: 0 });

/** The counts of the buffer as something that a person can act on: worst meters and commonest rules first. */
export function qualityReport(counts: Iterable<QualityCount>, frame: Frame): QualityReport {
  const days = daysOf(frame);
  const indexes = new Map(days.map((day, index) => [day, index]));
  const total = none();
  const meters = new Map<MeterId | null, MeterSum>();
  const sumOf = (meter: MeterId | null): MeterSum => {
    const known = meters.get(meter);
    if (known !== undefined) return known;
    const fresh = { meter, total: none(), rules: new Map(), days: days.map(() => null) };
    meters.set(meter, fresh);
    return fresh;
  };
  for (const meter of frame.expected) sumOf(meter);
  for (const { day, meter, rule, count, detail } of counts) {
    const index = indexes.get(day);
    if (index === undefined) continue;
    const sum = sumOf(meter);
    const ofDay = sum.days[index] ?? none();
    sum.days[index] = ofDay;
    for (const tally of [total, sum.total, ofDay]) add(tally, rule, count);
    if (rule !== 'accepted') addRule(sum.rules, { rule, count, detail });
  }
  const sums = [...meters.values()];
  return {
    gateway: frame.gateway,
    writtenAt: new Date(frame.nowMs).toISOString(),
    days,
    ...total,
    rules: rulesOf(sums),
    meters: sums.map(meterOf).sort(worstFirst),
  };
}

function daysOf({ fromMs, toMs }: Frame): readonly string[] {
  const first = Math.floor(fromMs / DAY_MS);
  const length = Math.floor(toMs / DAY_MS) - first + 1;
  return Array.from({ length }, (_, index) => new Date((first + index) * DAY_MS).toISOString().slice(0, 10));
}

function add(tally: Sum, rule: QualityCount['rule'], count: number): void {
  if (rule === 'accepted') tally.accepted += count;
  else {
    if (isRefusal(rule)) tally.refused += count;
    else tally.flagged += count;
    if (isFault(rule)) tally.faults += count;
  }
}

function addRule(rules: Map<Rule, RuleSum>, { rule, count, detail }: RuleCount): void {
  const known = rules.get(rule);
  if (known === undefined) rules.set(rule, { rule, count, detail });
  else {
    known.count += count;
    if (detail !== '') known.detail = detail;
  }
}

const meterOf = ({ meter, total, rules, days }: MeterSum): MeterQuality => ({
  meter,
  ...total,
  faultShare: shareOf(total),
  rules: [...rules.values()].sort(byWeight),
  days,
});

/** A reading with two flags has two faults; a share is never more than all. */
export const shareOf = ({ accepted, refused, faults }: Tally): number =>
  faults === 0 ? 0 : Math.min(1, faults / Math.max(1, accepted + refused));

const byName = new Intl.Collator('en', { numeric: true });

const sentNothing = ({ accepted, refused }: Tally): boolean => accepted + refused === 0;

/** What nobody has registered stands last: it is no meter that a crew can visit. */
const worstFirst = (a: MeterQuality, b: MeterQuality): number =>
  Number(a.meter === null) - Number(b.meter === null) ||
  Number(sentNothing(b)) - Number(sentNothing(a)) ||
  b.faultShare - a.faultShare ||
  b.faults - a.faults ||
  byName.compare(a.meter ?? '', b.meter ?? '');

const byWeight = (a: RuleCount, b: RuleCount): number =>
  Number(isFault(b.rule)) - Number(isFault(a.rule)) || b.count - a.count;

function rulesOf(meters: readonly MeterSum[]): readonly RuleQuality[] {
  const sums = new Map<Rule, RuleSum>();
  for (const { rules } of meters) for (const one of rules.values()) addRule(sums, one);
  return [...sums.values()].sort(byWeight).map((sum) => ({
    ...sum,
    takes: isRefusal(sum.rule) ? 'refused' : 'flagged',
    isFault: isFault(sum.rule),
    meters: meters.filter(({ rules }) => rules.has(sum.rule)).length,
    meaning: meaningOf(sum.rule),
    advice: ADVICE[sum.rule],
  }));
}

export const meterName = ({ meter }: { readonly meter: string | null }): string => meter ?? '(not registered)';

/** One sentence that is true by itself. */
export function qualitySummary(report: QualityReport): string {
  const { days, meters, faults, accepted, refused, rules } = report;
  const span = days.length === 1 ? `On ${days[0]}` : `From ${days[0]} to ${days.at(-1)}`;
  const known = meters.filter(({ meter }) => meter !== null);
  if (accepted + refused === 0) return `${span} nothing came in.`;
  const missing = known.filter((meter) => meter.accepted + meter.refused === 0).length;
  const senders =
    missing === 0
      ? plural(known.length, 'meter')
      : `${number(known.length - missing)} of ${plural(known.length, 'meter')}`;
  const sent = `${plural(accepted + refused, 'value set')} from ${senders}`;
  const worst = meters.find((meter) => meter.faults > 0);
  const [rule] = rules;
  if (faults === 0 || worst === undefined || rule === undefined) return `${span}, ${sent} came in without a fault.`;
  const faulty = known.filter((meter) => meter.faults > 0).length;
  const commonest = `the commonest is ${rule.rule} (${number(rule.count)})`;
  const found = `${plural(faults, 'fault')} (${percent(shareOf(report))}) at ${plural(faulty, 'meter')}`;
  return `${span}, ${sent} came in with ${found}; ${commonest}, the worst meter ${meterName(worst)} (${percent(worst.faultShare)}).`;
}

export const number = (value: number): string => value.toLocaleString('en');
const plural = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `0.04 %`, `3.1 %`, `42 %`: what is not nothing is not shown as nothing. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.01) return '< 0.01 %';
  return `${value < 1 ? value.toFixed(2) : value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}
