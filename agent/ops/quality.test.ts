import { expect, test } from 'vitest';
import { parseMeterId } from '../domain/brand.js';
import { invariant } from '../domain/errors.js';
import { ADVICE, meaningOf, type QualityCount, RULES } from '../domain/quality.js';
import { qualityPage } from './quality-page.js';
import { qualityReport, qualitySummary } from './quality-report.js';
import { qualityScreen } from './quality-screen.js';

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2026, 0, 8);

function meter(name: string) {
  const id = parseMeterId(name);
  invariant(id !== undefined, name);
  return id;
}

const counts: readonly QualityCount[] = [
  { day: '2026-01-08', meter: meter('good'), rule: 'accepted', count: 1_000, detail: '' },
  { day: '2026-01-08', meter: meter('good'), rule: 'duplicate', count: 40, detail: 'stored before' },
  { day: '2026-01-08', meter: meter('bad'), rule: 'accepted', count: 90, detail: '' },
  { day: '2026-01-09', meter: meter('bad'), rule: 'not_json', count: 10, detail: 'Unexpected token <b>&"' },
  { day: '2026-01-10', meter: meter('bad'), rule: 'accepted', count: 50, detail: '' },
  { day: '2026-01-10', meter: meter('bad'), rule: 'register_back', count: 20, detail: 'import register fell' },
  { day: '2026-01-10', meter: null, rule: 'bad_meter_id', count: 5, detail: '<script>alert(1)</script>' },
];

const reportOf = (given: Iterable<QualityCount> = counts, expected = [meter('good'), meter('gone')]) =>
  qualityReport(given, {
    gateway: 'gw-1',
    nowMs: FROM + 2.5 * DAY_MS,
    fromMs: FROM,
    toMs: FROM + 2.5 * DAY_MS,
    expected,
  });

test('every rule has a meaning and says what to do', () => {
  for (const rule of RULES) {
    expect(meaningOf(rule), rule).toMatch(/^[A-Z].{10,}\.$/);
    expect(ADVICE[rule], rule).toMatch(/^[A-Z].{10,}\.$/);
  }
});

test('who sent nothing stands first, then the worst; strangers last; a repeat is no fault', () => {
  const report = reportOf();
  expect(report).toMatchObject({ accepted: 1_140, refused: 55, flagged: 20, faults: 35 });
  expect(report.days).toEqual(['2026-01-08', '2026-01-09', '2026-01-10']);
  expect(report.meters.map((one) => [one.meter, one.faultShare])).toEqual([
    ['gone', 0],
    ['bad', 0.2],
    ['good', 0],
    [null, 1],
  ]);
  expect(report.meters[1]?.days).toEqual([
    { accepted: 90, refused: 0, flagged: 0, faults: 0 },
    { accepted: 0, refused: 10, flagged: 0, faults: 10 },
    { accepted: 50, refused: 0, flagged: 20, faults: 20 },
  ]);
  expect(report.rules.map(({ rule, count, takes }) => [rule, count, takes])).toEqual([
    ['register_back', 20, 'flagged'],
    ['not_json', 10, 'refused'],
    ['bad_meter_id', 5, 'refused'],
    ['duplicate', 40, 'refused'],
  ]);
});

test('the summary is one true sentence', () => {
  expect(qualitySummary(reportOf())).toBe(
    'From 2026-01-08 to 2026-01-10, 1,195 value sets from 2 of 3 meters came in with 35 faults (2.9 %) at 1 meter; the commonest is register_back (20), the worst meter bad (20 %).',
  );
  expect(qualitySummary(reportOf(counts.slice(0, 2), []))).toBe(
    'From 2026-01-08 to 2026-01-10, 1,040 value sets from 1 meter came in without a fault.',
  );
  expect(qualitySummary(reportOf([], []))).toBe('From 2026-01-08 to 2026-01-10 nothing came in.');
});

test('the page needs nothing else, and what a meter sent cannot become part of it', () => {
  const page = qualityPage(reportOf());
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page).toContain('Unexpected token &lt;b&gt;&amp;&quot;');
  expect(page).not.toMatch(/<script|<img|<link|src=|url\(|@import|https?:/);
  expect(page).toContain("default-src 'none'");
});

test('the screen names rules and meters', () => {
  const screen = qualityScreen(reportOf());
  expect(screen).toMatch(/^register_back +flagged +20 +1 /m);
  expect(screen).toMatch(/^bad +140 +10 +20 +20 % +register_back 20, not_json 10$/m);
  expect(qualityScreen(reportOf(counts.slice(0, 1), []))).toBe(qualitySummary(reportOf(counts.slice(0, 1), [])));
});
