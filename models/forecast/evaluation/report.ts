import type { GroupResult } from './evaluate.js';
import type { Evaluation } from './file.js';
import { RATIOS, type Scores } from './scores.js';

/** One document, errors in the file's own unit. */
export function asJson(evaluation: Evaluation, perMeter: boolean): string {
  const { results, trainedOn, unitW, ...about } = evaluation;
  const groups = (all: Readonly<Record<string, GroupResult>>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, { scores }]) => [
        name,
        Object.fromEntries(Object.entries(scores).map(([method, one]) => [method, inUnit(one, unitW)])),
      ]),
    );
  const document = {
    data: about.data,
    model: about.model,
    unit: about.unit,
    slot_minutes: about.slotMinutes,
    test_from: new Date(about.testFromMs).toISOString(),
    seed: about.seed,
    meters: about.meters,
    parameters: about.parameters,
    // What no number stands for, a ratio to nothing, is null in JSON.
    horizons: groups(results),
    ...ratiosOfFewer(results),
    trainings: about.trainings.map(({ bestEpoch, ...record }) => ({ best_epoch: bestEpoch, ...record })),
    aggregate: Object.fromEntries(
      Object.entries(results).map(([name, { aggregate }]) => [name, aggregateInUnit(aggregate, unitW)]),
    ),
    ...(trainedOn === undefined ? {} : { horizons_of_meters_trained_on: groups(trainedOn) }),
    ...(perMeter ? { mae_per_meter: maePerMeter(results, unitW) } : {}),
    coverage90_by_month: Object.fromEntries(
      Object.entries(results).map(([name, { coverage }]) => [
        name,
        Object.fromEntries(
          coverage.map(({ month, adapted, asTrained }) => [month, { adapted, as_trained: asTrained }]),
        ),
      ]),
    ),
  };
  return JSON.stringify(document, null, 2);
}

function inUnit({ mae, rmse, pinball, ...ratios }: Scores, unitW: number): Scores {
  return { mae: mae / unitW, rmse: rmse / unitW, pinball: pinball / unitW, ...ratios };
}

const aggregateInUnit = (aggregate: GroupResult['aggregate'], unitW: number): GroupResult['aggregate'] =>
  Object.fromEntries(
    Object.entries(aggregate).map(([name, { mae, rmse, ...ratios }]) => [
      name,
      { mae: mae / unitW, rmse: rmse / unitW, ...ratios },
    ]),
  );

export function asTable(evaluation: Evaluation, perMeter: boolean): string {
  const { data, model, unit, unitW, slotMinutes, testFromMs, seed, meters, parameters, results, trainedOn } =
    evaluation;
  const lines = [
    `${data}: ${meters} meters, slots of ${slotMinutes} minutes, test from ${new Date(testFromMs).toISOString()}`,
    `${model}; ${parameters} parameters, seed ${seed}; errors in ${unit}, mean over meters`,
  ];
  for (const [name, group] of Object.entries(results)) lines.push('', ...tableOf(`horizon ${name}`, group, unitW));
  for (const [name, group] of Object.entries(trainedOn ?? {})) {
    lines.push('', ...tableOf(`horizon ${name}, meters trained on`, group, unitW));
  }
  if (!perMeter) return lines.join('\n');
  for (const [name, meters] of Object.entries(maePerMeter(results, unitW))) {
    lines.push('', `horizon ${name}, MAE of each meter`);
    for (const [meter, errors] of Object.entries(meters)) {
      const cells = Object.entries(errors).map(([method, mae]) => `${method} ${digits(mae)}`);
      lines.push(`${meter.padEnd(24)}${cells.join('  ')}`);
    }
  }
  return lines.join('\n');
}

/** Where a ratio is the mean over fewer meters than its horizon: over how many. All methods share what it is a ratio to. */
function ratiosOfFewer(results: Readonly<Record<string, GroupResult>>) {
  const groups = Object.entries(results).flatMap(([name, { perMeter }]) => {
    const counts = RATIOS.map((ratio) => [ratio, metersWith(ratio, perMeter)] as const);
    const fewer = counts.filter(([, count]) => count < perMeter.length);
    return fewer.length === 0 ? [] : [[name, Object.fromEntries(fewer)] as const];
  });
  return groups.length === 0 ? {} : { meters_with_ratio: Object.fromEntries(groups) };
}

const metersWith = (ratio: (typeof RATIOS)[number], perMeter: GroupResult['perMeter']): number =>
  perMeter.filter(({ scores }) => Object.values(scores).every((one) => Number.isFinite(one[ratio]))).length;

function maePerMeter(results: Readonly<Record<string, GroupResult>>, unitW: number) {
  const maes = (scores: Readonly<Record<string, Scores>>) =>
    Object.fromEntries(Object.entries(scores).map(([method, { mae }]) => [method, mae / unitW]));
  return Object.fromEntries(
    Object.entries(results).map(([name, { perMeter }]) => [
      name,
      Object.fromEntries(perMeter.map(({ meter, scores }) => [meter, maes(scores)])),
    ]),
  );
}

const COLUMNS = ['MAE', 'RMSE', 'MASE', 'vs day', 'pinball', 'in band', 'R²'];

const AGGREGATE_COLUMNS = ['MAE', 'RMSE', 'MAPE', 'R²'];

const row = (name: string, cells: readonly string[]): string =>
  `${name.padEnd(16)}${cells.map((cell) => cell.padStart(10)).join('')}`;

function tableOf(title: string, { scores, aggregate, forecasts, coverage }: GroupResult, unitW: number): string[] {
  const methods = Object.entries(scores).map(([name, one]) => {
    const { mae, rmse, mase, mase_vs_seasonal, pinball, coverage90, r2 } = inUnit(one, unitW);
    const band = coverage90 === undefined ? '' : `${(coverage90 * 100).toFixed(1)} %`;
    return row(name, [
      digits(mae),
      digits(rmse),
      ratioOf(mase),
      ratioOf(mase_vs_seasonal),
      digits(pinball),
      band,
      ratioOf(r2),
    ]);
  });
  const months = coverage.map(
    ({ month, adapted, asTrained }) =>
      `${month}: ${(adapted * 100).toFixed(1)} % in the 90 % band (${(asTrained * 100).toFixed(1)} % without adapting)`,
  );
  return [
    `${title}, ${forecasts} forecasts`,
    row('', COLUMNS),
    ...methods,
    ...months,
    ...aggregateRows(aggregateInUnit(aggregate, unitW)),
  ];
}

/** Empty where too few meters were known at a time. */
function aggregateRows(aggregate: GroupResult['aggregate']): string[] {
  const methods = Object.entries(aggregate).map(([name, { mae, rmse, mape, r2 }]) => {
    const share = mape === undefined ? '' : `${(mape * 100).toFixed(2)} %`;
    return row(name, [digits(mae), digits(rmse), share, ratioOf(r2)]);
  });
  return methods.length === 0 ? [] : [row('their sum', AGGREGATE_COLUMNS), ...methods];
}

const ratioOf = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : '–');

/** Four digits, whatever the unit. */
const digits = (value: number): string => (value >= 1_000 ? value.toFixed(0) : value.toPrecision(4));
