import type { ForestEvaluation } from './forest-eval.js';
import type { Measures } from './judged-days.js';
import type { SelfTest } from './self-test.js';
import type { TheftEvaluation } from './theft-eval.js';

export function theftTable({ no_feeder, feeder, baselines, ranking, episodes }: TheftEvaluation): string {
  const kinds = Object.keys(feeder.per_attack);
  const line = (name: string, { auc, ap, per_attack }: Measures): string =>
    [
      name.padEnd(24),
      auc.toFixed(4),
      ap.toFixed(4),
      ...kinds.map((kind) => (per_attack[kind]?.auc ?? Number.NaN).toFixed(3).padStart(Math.max(kind.length, 6))),
    ].join('  ');
  const alarms = (of: typeof episodes.no_feeder) =>
    `${of.per_100_honest_meter_days.toFixed(3)} per 100 honest meter-days, ${percent(of.honest_meters_touched_share)} of honest meters, ${percent(of.thieves_found_share)} of thieves found`;
  return [
    ['meter-days'.padEnd(24), 'AUC   ', 'AP    ', ...kinds.map((kind) => kind.padStart(6))].join('  '),
    line('with feeders', feeder),
    line('without feeders', no_feeder),
    ...Object.entries(baselines).map(([name, measures]) => line(name.replaceAll('_', ' '), measures)),
    '',
    `thieves among the first ${ranking.k}: ${ranking.hits_feeder} with feeders, ${ranking.hits_no_feeder} without`,
    `half of the thieves found by: ${dayOrNever(ranking.median_days_to_detect)} with feeders, ${dayOrNever(ranking.median_days_to_detect_no_feeder)} without`,
    `episodes with feeders: ${alarms(episodes)}`,
    `episodes without: ${alarms(episodes.no_feeder)}`,
  ].join('\n');
}

export function forestTable(evaluation: ForestEvaluation): string {
  const { rows, features, anomalies, seeds, auc_mean, auc_sd, ap_mean } = evaluation;
  return `${rows} rows, ${features} features, ${anomalies} anomalies; ${seeds} forests: AUC ${auc_mean.toFixed(4)} ± ${auc_sd.toFixed(4)}, AP ${ap_mean.toFixed(4)}`;
}

export function selfTestTable({ with_feeders, ...alone }: SelfTest): string {
  if (with_feeders === undefined) return foundTable(alone);
  return `meters alone\n${foundTable(alone)}\n\nbeside the balance of their feeders\n${foundTable(with_feeders)}`;
}

function foundTable(result: Omit<SelfTest, 'with_feeders'>): string {
  const kinds = Object.entries(result.per_attack).map(
    ([kind, { thefts, recall }]) => `${kind.padEnd(16)} ${`${thefts}`.padStart(7)}  ${percent(recall).padStart(7)}`,
  );
  return [
    `${'theft'.padEnd(16)} injected    found`,
    ...kinds,
    `${'all'.padEnd(16)} ${`${result.thefts}`.padStart(7)}  ${percent(result.recall).padStart(7)}`,
    '',
    `half of the thefts found by: ${dayOrNever(result.median_days_to_detect)}`,
    `false alarms: ${result.false_alarms_per_100_meter_days.toFixed(3)} episodes per 100 meter-days without theft`,
  ].join('\n');
}

const dayOrNever = (count: number | null) => (count === null ? 'most never' : `day ${count}`);

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
