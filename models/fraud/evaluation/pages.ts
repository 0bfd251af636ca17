import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { axes, band, escaped, frameOf, polyline, roundTicks, svg, text } from '../../svg.js';
import { sentenceOf } from '../findings/sentence.js';
import { dayOf } from '../fleet-power.js';
import { LANGUAGES } from '../language.js';
import { precisionRecallCurve, rocCurve } from './curves.js';
import { judgeDays, theftOn } from './judged-days.js';
import type { TheftLabel } from './theft-bench.js';
import type { TheftResults } from './theft-eval.js';
import { listVisits, type Visit } from './visit-list.js';
import { detectionDay, type Outcome } from './visits.js';

const SIZE = { width: 900, height: 240 };
/** Around a theft, so that what was usual can be seen. */
const DAYS_AROUND = 45;
const DAY_MS = 86_400_000;

/**
 * Plots of the whole test, the visits it would have led to, and a page for each thief: what was reported, what it scored,
 * and when it was found.
 */
export async function writePages(dir: string, results: TheftResults, tariffPerKwh: number): Promise<void> {
  await mkdir(dir, { recursive: true });
  const { withFeeder, withoutFeeder } = results;
  const named = [
    { name: 'with feeders', judged: judgeDays(withFeeder, withFeeder.scores) },
    { name: 'without feeders', judged: judgeDays(withoutFeeder, withoutFeeder.scores) },
  ];
  await writeFile(join(dir, 'roc.svg'), rocCurve(named));
  await writeFile(join(dir, 'precision-recall.svg'), precisionRecallCurve(named));
  for (const label of withFeeder.labels) await writeFile(join(dir, fileOf(label)), pageOf(label, results));
  await writeFile(join(dir, 'index.html'), indexOf(results, listVisits(results, tariffPerKwh)));
}

/** The name of a meter may hold anything; that of a file may not. */
const fileOf = ({ meter, firstDay }: TheftLabel): string =>
  `${meter.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 80)}-${firstDay}.html`;

const verdictOf = (outcome: Outcome, label: TheftLabel): string => {
  const day = detectionDay(outcome, label);
  return Number.isFinite(day) ? `found on day ${day}` : 'missed';
};

function indexOf({ withFeeder, withoutFeeder }: TheftResults, visits: readonly Visit[]): string {
  const rows = withFeeder.labels.map(
    (label) =>
      `<tr><td><a href="${fileOf(label)}">${escaped(label.meter)}</a></td><td>${escaped(label.type)}</td><td>${verdictOf(withFeeder, label)}</td><td>${verdictOf(withoutFeeder, label)}</td></tr>`,
  );
  return page(
    'Thieves',
    `<table><tr><th>meter</th><th>theft</th><th>with feeders</th><th>without</th></tr>${rows.join('')}</table><p><img src="roc.svg" alt="ROC"> <img src="precision-recall.svg" alt="Precision and recall"></p>${visitTable(visits, withFeeder)}`,
  );
}

function visitTable(visits: readonly Visit[], outcome: Outcome): string {
  const rows = visits.map(({ meter, firstDay, openedDay, lastDay, worth }) => {
    const days = [firstDay, openedDay, lastDay].map((day) => `<td>${dateOf(outcome, day)}</td>`).join('');
    const theft = theftOn(outcome.labels, meter, openedDay);
    const { lostWh, confidence, recoverable } = worth;
    return `<tr><td>${escaped(meter)}</td>${days}<td>${(lostWh / 1_000).toFixed(1)}</td><td>${(100 * confidence).toFixed(0)} %</td><td>${recoverable.toFixed(2)}</td><td>${escaped(theft?.type ?? 'honest')}</td></tr>`;
  });
  return `<h2>Visits, with feeders: what recovers most comes first</h2><table><tr><th>meter</th><th>from</th><th>known</th><th>last</th><th>lost, kWh</th><th>confidence</th><th>recoverable</th><th>in truth</th></tr>${rows.join('')}</table>`;
}

/** What an inspector is told on the day on which the thief was found; of one who was missed, on the day with the highest score. */
function wordsOf(label: TheftLabel, { withFeeder, scores }: TheftResults): string {
  const index = withFeeder.fleet.meters.findIndex(({ meter }) => meter === label.meter);
  const found = detectionDay(withFeeder, label);
  const days = Array.from({ length: label.lastDay - label.firstDay + 1 }, (_, at) => label.firstDay + at);
  const score = (day: number) => scores.feeder[index]?.[day] || 0;
  const oddest = days.reduce((best, day) => (score(day) > score(best) ? day : best), label.firstDay);
  const day = Number.isFinite(found) ? label.firstDay + found - 1 : oddest;
  const facts = scores.facts(index, day);
  const which = `${Number.isFinite(found) ? 'On the day on which it was found' : 'On its oddest day'}, ${dateOf(withFeeder, day)},`;
  if (facts === undefined) return `<p>${which} nothing was known of it.</p>`;
  const sentences = LANGUAGES.map(
    (language) => `<blockquote lang="${language}">${escaped(sentenceOf(facts, language))}</blockquote>`,
  );
  return `<p>${which} an inspector reads:</p>${sentences.join('')}`;
}

function pageOf(label: TheftLabel, results: TheftResults): string {
  const { withFeeder, withoutFeeder } = results;
  const { fleet } = withFeeder;
  const index = fleet.meters.findIndex(({ meter }) => meter === label.meter);
  const from = Math.max(label.firstDay - DAYS_AROUND, 0);
  const to = Math.min(label.lastDay + DAYS_AROUND, fleet.days - 1);
  const days = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const powerW = fleet.meters[index]?.powerW ?? new Float32Array();
  const energy = days.map((day) => [day, dayEnergyKwh(dayOf(powerW, fleet.slotsPerDay, day))] as const);
  const highest = Math.max(...energy.map(([, kwh]) => kwh).filter(Number.isFinite), 0.1);
  const scoreOf = ({ scores }: Outcome) => days.map((day) => [day, scores[index]?.[day] ?? Number.NaN] as const);
  const date = (day: number) => dateOf(withFeeder, day);
  const body = [
    `<p>${escaped(label.type)}, ${date(label.firstDay)} to ${date(label.lastDay)} (grey). With feeders: ${verdictOf(withFeeder, label)}; without: ${verdictOf(withoutFeeder, label)}.</p>`,
    wordsOf(label, results),
    plot('Reported, kWh a day', { label, days, date, y: [0, highest], lines: [[energy, '#1b6ca8']] }),
    plot('Score with feeders (blue) and without (orange)', {
      label,
      days,
      date,
      y: [0, 1],
      lines: [
        [scoreOf(withFeeder), '#1b6ca8'],
        [scoreOf(withoutFeeder), '#c2410c'],
      ],
    }),
  ];
  return page(`${label.meter}: ${label.type}`, body.join(''));
}

interface Plot {
  readonly label: TheftLabel;
  readonly days: readonly number[];
  readonly date: (day: number) => string;
  readonly y: readonly [number, number];
  readonly lines: readonly (readonly [readonly (readonly [number, number])[], string])[];
}

function plot(title: string, { label, days, date, y, lines }: Plot): string {
  const months = days.filter((day) => date(day).endsWith('-01'));
  const frame = frameOf({ ...SIZE, x: [days[0] ?? 0, days.at(-1) ?? 1], y });
  return svg(SIZE, [
    band(frame, [label.firstDay, label.lastDay + 1], '#e5e5e5'),
    text({ x: frame.left, y: 20 }, title),
    ...axes(frame, { x: months, xName: date, y: roundTicks(y[1]) }),
    ...lines.map(([points, colour]) => polyline(frame, points, colour)),
  ]);
}

const dateOf = ({ fleet }: Outcome, day: number): string =>
  new Date(fleet.startMs + day * DAY_MS).toISOString().slice(0, 10);

function dayEnergyKwh(powerW: Float32Array): number {
  const known = powerW.filter(Number.isFinite);
  return ((known.reduce((sum, watts) => sum + watts, 0) / known.length) * 24) / 1_000;
}

const page = (title: string, body: string): string =>
  `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><body style="font-family:sans-serif"><h1>${escaped(title)}</h1>${body}</body>\n`;
