import { writeFileSync } from 'node:fs';
import { openReader } from '../buffer/reader.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { systemClock } from '../domain/clock.js';
import { qualityPage } from '../ops/quality-page.js';
import { type QualityReport, qualityReport } from '../ops/quality-report.js';
import { qualityScreen } from '../ops/quality-screen.js';
import { bufferPath } from '../settings.js';
import { type Given, print, settingsOf } from './given.js';

interface Asked extends Given {
  readonly from?: number;
  readonly to?: number;
  readonly meter?: MeterId;
  readonly html?: string;
}

const DAY_MS = 86_400_000;
const REPORT_DAYS = 14;
/** A column a day; nobody reads more, and memory is taken for each meter and day. */
const MAX_REPORT_DAYS = 400;

/** False when the days make no report. */
export function quality(given: Asked): boolean {
  const nowMs = systemClock.now();
  const toMs = given.to ?? nowMs;
  const fromMs = given.from ?? toMs - (REPORT_DAYS - 1) * DAY_MS;
  if (fromMs > toMs || toMs - fromMs > MAX_REPORT_DAYS * DAY_MS) return false;
  const report = readReport(given, { nowMs, fromMs, toMs });
  if (given.html !== undefined) {
    writeFileSync(given.html, qualityPage(report));
    console.error(`Written to ${given.html}`);
    if (given.json !== true) return true;
  }
  print(given, report, () => qualityScreen(report));
  return true;
}

interface Span {
  readonly nowMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function readReport({ meter, ...given }: Asked, span: Span): QualityReport {
  const settings = settingsOf(given);
  const reader = openReader(bufferPath(settings));
  try {
    const expected = reader.meters().flatMap(({ id }) => (meter === undefined || id === meter ? [id] : []));
    const query = { fromMs: epochMs(span.fromMs), toMs: epochMs(span.toMs), ...(meter !== undefined && { meter }) };
    return qualityReport(reader.quality(query), { ...span, gateway: settings.gateway.name, expected });
  } finally {
    reader.close();
  }
}
