import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { epochMs } from '../../agent/domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { type Bundle, readBundle } from '../bundle/read.js';
import { openForecaster } from '../onnx/session.js';
import type { MeterSeries } from '../series.js';
import { createHouseholds } from '../synthetic.js';
import { loadWideCsv, POWER_UNITS, type PowerUnit } from '../wide-csv.js';
import { evaluateForecasts, type ForecastScores } from './evaluation.js';

interface Options {
  readonly csv?: string;
  readonly unit: PowerUnit;
  readonly bundle: string;
  readonly precision: 'int8' | 'float32';
  readonly json?: true;
}

/** Homes that no shipped bundle has seen: another seed. */
const HELD_OUT = { meters: 30, days: 7, seed: 90_210 };
const SHIPPED = fileURLToPath(new URL('../../../models/bundles/default-5min', import.meta.url));

/** `npm run eval -- forecast`. */
export const forecastEval = (): Command =>
  new Command('forecast')
    .description('Measures a bundle beside persistence and the same time yesterday, on the same slots.')
    .option('--csv <file>', 'power per five-minute slot: time, then one column per meter; .gz is unpacked')
    .addOption(new Option('--unit <unit>', 'of the file').choices(Object.keys(POWER_UNITS)).default('W'))
    .option('--bundle <dir>', 'the bundle to measure', SHIPPED)
    .addOption(new Option('--precision <precision>').choices(['int8', 'float32']).default('int8'))
    .option('--json', 'one JSON document')
    .action(evaluate);

async function evaluate(options: Options): Promise<void> {
  const series = options.csv === undefined ? createHouseholds(HELD_OUT) : await loadWideCsv(options.csv, options.unit);
  const data = options.csv ?? `${HELD_OUT.meters} generated households, ${HELD_OUT.days} days, seed ${HELD_OUT.seed}`;
  const bundle = await readBundle(options.bundle);
  const forecaster = await openForecaster(bundle, options.precision);
  const scores = await evaluateForecasts({ series, fromMs: afterFirstDay(series), predict: forecaster.predict });
  await forecaster.close();
  const about: About = { data, bundle, precision: options.precision };
  console.log(options.json === true ? asJson(scores, about) : asTable(scores, about));
}

interface About {
  readonly data: string;
  readonly bundle: Bundle;
  readonly precision: Options['precision'];
}

function afterFirstDay(all: readonly MeterSeries[]) {
  return epochMs(Math.min(...all.map(({ startMs }) => startMs)) + WINDOW_SLOTS * SLOT_MS);
}

function asJson({ meters, windows, maeW }: ForecastScores, { data, bundle, precision }: About): string {
  const about = { data, bundle: bundle.version, precision, meters, windows };
  return JSON.stringify({ ...about, parameters: bundle.manifest.parameters, unit: 'W', horizons: maeW }, null, 2);
}

function asTable({ meters, windows, maeW }: ForecastScores, { data, bundle, precision }: About): string {
  const lines = Object.entries(maeW).map(([name, { model, persistence, seasonalDay, coverage90 }]) => {
    const figures = [model, persistence, seasonalDay].map((mae) => mae.toFixed(1).padStart(12)).join('');
    return `${name.padEnd(8)}${figures}${`${(coverage90 * 100).toFixed(1)} %`.padStart(12)}`;
  });
  return [
    `${data}; bundle ${bundle.version}, ${precision}; ${meters} meters, ${windows} windows; MAE in W, mean over meters`,
    `${'horizon'.padEnd(8)}${['model', 'persistence', 'yesterday', 'in band'].map((name) => name.padStart(12)).join('')}`,
    ...lines,
  ].join('\n');
}
