import { Command } from 'commander';
import { DAY_MS } from '../../agent/domain/slot.js';
import { day, price, share, whole } from '../command-options.js';
import { evaluateForest } from './evaluation/forest-eval.js';
import { loadLabelledRows } from './evaluation/labelled-rows.js';
import { writePages } from './evaluation/pages.js';
import { type DatedBench, SILENT_METERS, simulateBench } from './evaluation/simulated-bench.js';
import { InputFileError } from './evaluation/table-file.js';
import { forestTable, theftTable } from './evaluation/tables.js';
import { loadTheftBench } from './evaluation/theft-bench.js';
import { evaluateTheft } from './evaluation/theft-eval.js';
import { unreportedLine } from './evaluation/unreported-meters.js';

interface TheftOptions {
  readonly reported?: string;
  readonly feeders?: string;
  readonly topology?: string;
  readonly labels?: string;
  readonly testFrom?: number;
  readonly simulated?: true;
  readonly technicalLoss: number;
  readonly feederNoise: number;
  readonly dayNoise: number;
  readonly missingMeters?: number;
  readonly seed: number;
  readonly pages?: string;
  readonly tariff: number;
  readonly json?: true;
}

/** `npm run eval -- theft`. */
export const theftEval = (): Command =>
  new Command('theft')
    .description('Who steals, with and without the balance of the feeders: trained before the test, judged day by day.')
    .option('--reported <file>', 'kWh per slot as the meters report it: time, then one column per meter')
    .option('--feeders <file>', 'kWh per slot that went into each feeder')
    .option('--topology <file>', 'columns meter and feeder')
    .option('--labels <file>', 'columns meter, type, first_day and last_day of each theft')
    .option('--test-from <day>', 'days before it are clean and trained on', day)
    .option('--simulated', 'a simulated street in place of the files: a year, ten kinds of theft')
    .option('--technical-loss <share>', 'share of a feeder’s energy that its lines lose', share, 0)
    .option('--feeder-noise <share>', 'relative error of a feeder’s meter in each slot', share, 0)
    .option('--day-noise <share>', 'relative error of a feeder’s meter on each day', share, 0)
    .option(
      '--missing-meters <n>',
      `so many meters report nothing for two weeks of the test each (default: none; ${SILENT_METERS} of a simulated street)`,
      whole,
    )
    .option('--seed <n>', 'of the forest and of what is disturbed', whole, 1)
    .option('--pages <dir>', 'plots, the visits that the episodes lead to, and a page for each thief')
    .option('--tariff <price>', 'of a kWh, in any currency: what a visit may recover is ranked by it', price, 0.25)
    .option('--json', 'one JSON document')
    .action(theft);

async function theft(options: TheftOptions): Promise<void> {
  const { testFromDay, ...bench } = options.simulated === true ? simulateBench(options.seed) : await loadFiles(options);
  const { technicalLoss, feederNoise, dayNoise, seed } = options;
  const missingMeters = options.missingMeters ?? (options.simulated === true ? SILENT_METERS : 0);
  const unreported = unreportedLine(bench.fleet);
  if (unreported !== undefined) console.error(unreported);
  const results = evaluateTheft({
    bench,
    testFromDay,
    disturbances: { technicalLoss, feederNoise, dayNoise, missingMeters, seed },
  });
  if (options.pages !== undefined) await writePages(options.pages, results, options.tariff);
  const { evaluation } = results;
  console.log(options.json === true ? JSON.stringify(evaluation, null, 2) : theftTable(evaluation));
}

async function loadFiles({ reported, feeders, topology, labels, testFrom }: TheftOptions): Promise<DatedBench> {
  if (reported === undefined || feeders === undefined || topology === undefined || labels === undefined)
    throw new InputFileError(
      '--reported, --feeders, --topology and --labels each name a file; or there is --simulated',
    );
  if (testFrom === undefined) throw new InputFileError('--test-from: the first day of the test is missing');
  const bench = await loadTheftBench({ reported, feeders, topology, labels });
  const { startMs, days } = bench.fleet;
  const testFromDay = (testFrom - startMs) / DAY_MS;
  if (testFromDay < 1 || testFromDay >= days)
    throw new InputFileError(`--test-from: the files tell of ${days} days from ${dateOf(startMs)} on`);
  refuseEarlyThefts({ ...bench, testFromDay }, labels);
  return { ...bench, testFromDay };
}

/** The model would learn that it is clean to steal. */
function refuseEarlyThefts({ fleet, labels, testFromDay }: DatedBench, path: string): void {
  const early = labels.find(({ firstDay }) => firstDay < testFromDay);
  if (early === undefined) return;
  const date = (of: number) => dateOf(fleet.startMs + of * DAY_MS);
  throw new InputFileError(
    `${path}: “${early.meter}” steals from ${date(early.firstDay)} to ${date(early.lastDay)}, but days before --test-from ${date(testFromDay)} are trained on as clean`,
  );
}

const dateOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

interface ForestOptions {
  readonly csv: string;
  readonly seeds: number;
  readonly json?: true;
}

/** `npm run eval -- forest`. */
export const forestEval = (): Command =>
  new Command('forest')
    .description(
      'The forest alone on any table of features, trained and scored on all rows as scikit-learn’s figures are.',
    )
    .requiredOption('--csv <file>', 'features, and a last column “label” with 1 for an anomaly')
    .option('--seeds <n>', 'how many forests, seeded from 0 on', whole, 5)
    .option('--json', 'one JSON document')
    .action(forest);

async function forest({ csv, seeds, json }: ForestOptions): Promise<void> {
  const evaluation = evaluateForest(await loadLabelledRows(csv), Math.max(seeds, 1));
  console.log(json === true ? JSON.stringify(evaluation, null, 2) : forestTable(evaluation));
}
