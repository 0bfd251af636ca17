import { type MeterQuality, meterName, number, percent, type QualityReport, qualitySummary } from './quality-report.js';
import { textTable } from './table.js';

const SHOWN_METERS = 20;

/** The report for a terminal. */
export function qualityScreen(report: QualityReport): string {
  const { rules, meters } = report;
  const faulty = meters.filter(({ faults }) => faults > 0).slice(0, SHOWN_METERS);
  if (rules.length === 0) return qualitySummary(report);
  return [
    qualitySummary(report),
    textTable(
      ['rule', 'takes', 'count', 'meters', 'meaning'],
      rules.map((one) => [one.rule, one.takes, number(one.count), number(one.meters), one.meaning]),
    ),
    ...(faulty.length === 0 ? [] : [meterTable(faulty)]),
  ].join('\n\n');
}

const meterTable = (meters: readonly MeterQuality[]): string =>
  textTable(
    ['meter', 'accepted', 'refused', 'flags', 'faults', 'most often'],
    meters.map((meter) => [
      meterName(meter),
      number(meter.accepted),
      number(meter.refused),
      number(meter.flagged),
      percent(meter.faultShare),
      meter.rules
        .slice(0, 3)
        .map(({ rule, count }) => `${rule} ${number(count)}`)
        .join(', '),
    ]),
  );
