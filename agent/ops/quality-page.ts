import { html, type Markup } from './html.js';
import {
  type MeterQuality,
  meterName,
  number,
  percent,
  type QualityReport,
  qualitySummary,
  type RuleQuality,
  shareOf,
  type Tally,
} from './quality-report.js';
import { QUALITY_STYLE } from './quality-style.js';

/** More rows are no picture any more; `--json` has all. */
const SHOWN_METERS = 100;
/** Columns that a heat map can have: a quarter of a year. */
const SHOWN_DAYS = 92;
const SHOWN_RULES = 3;

/** The report as one file that needs nothing else: it can be sent by mail and opened in ten years. */
export function qualityPage(report: QualityReport): string {
  const { gateway, writtenAt } = report;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Data quality of ${gateway}</title>
<style>${{ markup: QUALITY_STYLE }}</style>
</head>
<body>
<header>
<p class="over">Data quality</p>
<h1>${gateway}</h1>
<p class="summary">${qualitySummary(report)}</p>
</header>
<main>
${tiles(report)}
${heatMap(report)}
${ruleList(report.rules)}
${meterTable(report)}
</main>
<footer>Written ${writtenAt.slice(0, 16).replace('T', ' ')} UTC by wattwarden; days are UTC days. While the gateway runs, the last minutes may be missing. Nothing that is counted here was changed: a reading with a flag is stored with its flag, a refused one is kept as it came (<code>wattwarden rejected</code>).</footer>
</body>
</html>
`;
  return page.markup;
}

function tiles(report: QualityReport): Markup {
  const known = report.meters.filter(({ meter }) => meter !== null);
  const faulty = known.filter(({ faults }) => faults > 0).length;
  const tile = (title: string, value: string, note: string) =>
    html`<li><span class="title">${title}</span><strong>${value}</strong><span class="note">${note}</span></li>`;
  return html`<ul class="tiles">
${tile('Accepted', number(report.accepted), 'readings stored')}
${tile('Refused', number(report.refused), 'kept aside with a reason')}
${tile('Flagged', number(report.flagged), 'flags on stored readings')}
${tile('Faults', number(report.faults), `${percent(shareOf(report))} of what came`)}
${tile('Meters', `${number(faulty)} of ${number(known.length)}`, 'with a fault')}
</ul>`;
}

const LEVELS = [
  { name: 'none', label: 'nothing came', from: Number.NaN },
  { name: 'good', label: 'no fault', from: 0 },
  { name: 'l1', label: 'below 1 %', from: Number.MIN_VALUE },
  { name: 'l2', label: '1–10 %', from: 0.01 },
  { name: 'l3', label: '10–50 %', from: 0.1 },
  { name: 'l4', label: 'above 50 %', from: 0.5 },
] as const;

function levelOf(tally: Tally | null): string {
  if (tally === null || tally.accepted + tally.refused === 0) return 'none';
  const share = shareOf(tally);
  return LEVELS.findLast(({ from }) => share >= from)?.name ?? 'good';
}

function heatMap({ days, meters }: QualityReport): Markup {
  if (meters.length === 0) return html``;
  const first = Math.max(0, days.length - SHOWN_DAYS);
  const shown = days.slice(first);
  const heads = shown.map((day, index) => {
    const weekday = new Date(day).getUTCDay();
    const isLabelled = weekday === 1 || (index === 0 && !BEFORE_MONDAY.includes(weekday));
    return html`<th scope="col" title="${day}">${isLabelled ? dayLabel(day) : ''}</th>`;
  });
  const rows = meters.slice(0, SHOWN_METERS).map(
    (meter) => html`<tr><th scope="row">${meterName(meter)}</th>${meter.days
      .slice(first)
      .map((tally, index) => cell(shown[index] ?? '', tally))}<td class="share">${percent(meter.faultShare)}</td></tr>
`,
  );
  const legend = LEVELS.map(({ name, label }) => html`<li><i class="${name}"></i>${label}</li>`);
  const rest = meters.length - SHOWN_METERS;
  return html`<section>
<h2>Meters by day</h2>
<p class="hint">Share of what a meter sent that had a fault; the worst meters first. Point at a day for its figures.</p>
<ul class="legend">${legend}</ul>
<div class="scroll"><table class="heat"><thead><tr><th></th>${heads}<th class="share">faults</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
${rest > 0 ? html`<p class="hint">${number(rest)} better meters are not shown; <code>--json</code> has all.</p>` : ''}
</section>`;
}

/** Friday to Sunday: the label of the Monday after needs the place. */
const BEFORE_MONDAY = [5, 6, 0];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayLabel = (day: string): string => `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1] ?? ''}`;

function cell(day: string, tally: Tally | null): Markup {
  const words =
    tally === null
      ? `${day}: nothing came`
      : `${day}: ${percent(shareOf(tally))} faults; ${number(tally.accepted)} accepted, ${number(tally.refused)} refused, ${number(tally.flagged)} flags`;
  return html`<td class="${levelOf(tally)}" title="${words}"></td>`;
}

function ruleList(rules: readonly RuleQuality[]): Markup {
  if (rules.length === 0) return html``;
  const most = Math.max(...rules.map(({ count }) => count));
  const items = rules.map(
    (one) => html`<li class="${one.isFault ? 'fault' : 'harmless'}">
<div class="head"><code>${one.rule}</code><span class="takes">${one.takes}${one.isFault ? '' : ', harmless'}</span><span class="count">${number(one.count)} at ${number(one.meters)} ${one.meters === 1 ? 'meter' : 'meters'}</span></div>
<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${barOf(one.count, most)}" height="1"/></svg>
<p>${codeIn(one.meaning)}</p>
<p class="advice"><b>What to do:</b> ${codeIn(one.advice)}</p>
${one.detail === '' ? '' : html`<p class="case">Last case: ${one.detail}</p>`}
</li>
`,
  );
  return html`<section><h2>What was found</h2><ul class="rules">
${items}</ul></section>`;
}

/** Our own texts name settings and commands in backticks. */
const codeIn = (text: string): readonly Markup[] =>
  text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));

/** On a logarithmic scale: three cases of tampering stand beside ten thousand repeats. */
const barOf = (count: number, most: number): string =>
  (100 * (Math.log10(count + 1) / Math.log10(most + 1))).toFixed(1);

const hasSomethingToSay = ({ faults, accepted, refused }: MeterQuality): boolean =>
  faults > 0 || accepted + refused === 0;

function meterTable({ meters }: QualityReport): Markup {
  const faulty = meters.filter(hasSomethingToSay).slice(0, SHOWN_METERS);
  if (faulty.length === 0) return html``;
  const rows = faulty.map(
    (
      meter,
    ) => html`<tr><th scope="row">${meterName(meter)}</th><td class="n">${number(meter.accepted)}</td><td class="n">${number(meter.refused)}</td><td class="n">${number(meter.flagged)}</td><td class="n">${percent(meter.faultShare)}</td><td>${rulesOf(meter)}</td></tr>
`,
  );
  return html`<section><h2>Meter by meter</h2>
<div class="scroll"><table class="meters"><thead><tr><th>meter</th><th class="n">accepted</th><th class="n">refused</th><th class="n">flags</th><th class="n">faults</th><th>most often</th></tr></thead>
<tbody>
${rows}</tbody></table></div></section>`;
}

function rulesOf({ rules, accepted, refused }: MeterQuality): readonly Markup[] {
  if (accepted + refused === 0) return [html`nothing came`];
  return rules
    .slice(0, SHOWN_RULES)
    .map(
      ({ rule, count, detail }) =>
        html`<div><code>${rule}</code> ${number(count)}${detail === '' ? '' : html`<span class="case">${detail}</span>`}</div>`,
    );
}
