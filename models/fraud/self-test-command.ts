import { Command, InvalidArgumentError } from 'commander';
import { DAY_MS } from '../../agent/domain/slot.js';
import { readBundle } from '../bundle/read.js';
import { whole } from '../command-options.js';
import { TAIL_SHARES } from './calibration.js';
import { calibrateFor, type DayModel, trainDayModel } from './day-model.js';
import { FEWEST_SELF_TEST_DAYS, testYourself } from './evaluation/self-test.js';
import { InputFileError } from './evaluation/table-file.js';
import { selfTestTable } from './evaluation/tables.js';
import { loadFleet, loadReported } from './evaluation/theft-bench.js';
import { unreportedLine } from './evaluation/unreported-meters.js';
import type { FleetPower } from './fleet-power.js';

interface SelfTestOptions {
  readonly reported: string;
  readonly feeders?: string;
  readonly topology?: string;
  readonly bundle?: string;
  readonly contamination?: number;
  readonly rounds: number;
  readonly seed: number;
  readonly json?: true;
}

/** As far as a gateway's may be set. */
function contaminationShare(text: string): number {
  const value = Number(text);
  const [least, most] = [Math.min(...TAIL_SHARES), Math.max(...TAIL_SHARES)];
  if (!(value >= least && value <= most)) throw new InvalidArgumentError(`not a share from ${least} to ${most}`);
  return value;
}

/** `npm run eval -- theft-self-test`. */
export const selfTestEval = (): Command =>
  new Command('theft-self-test')
    .description('What the model of days would find in a fleet of your own: thefts injected into its clean weeks.')
    .requiredOption(
      '--reported <file>',
      'kWh per slot without theft, as far as is known: time, then a column per meter',
    )
    .option(
      '--feeders <file>',
      'kWh per slot that went into each feeder: the thefts are also looked for beside its balance',
    )
    .option('--topology <file>', 'columns meter and feeder')
    .option(
      '--bundle <dir>',
      'whose model is tested; without it one is trained on every second meter, or the meters of every second feeder',
    )
    .option(
      '--contamination <share>',
      'of the fleet’s clean days that may reach 0.6, whatever the model says: 0.005 to 0.02',
      contaminationShare,
    )
    .option('--rounds <n>', 'how often a fifth of the meters, one at least, steal for 30 days', whole, 5)
    .option('--seed <n>', 'of thieves, and of a forest that is trained', whole, 1)
    .option('--json', 'one JSON document')
    .action(selfTest);

async function selfTest(options: SelfTestOptions): Promise<void> {
  const { reported, bundle, contamination, rounds, seed, json } = options;
  const all = await loadFiles(options);
  if (all.days < FEWEST_SELF_TEST_DAYS)
    throw new InputFileError(`${reported}: ${all.days} days, ${FEWEST_SELF_TEST_DAYS} are needed`);
  const unreported = unreportedLine(all);
  if (unreported !== undefined) console.error(unreported);
  const { fleet, model } =
    bundle === undefined ? trainedOnHalf(all, seed) : { fleet: all, model: await modelOf(bundle, all) };
  const tested =
    contamination === undefined
      ? model
      : calibrateFor(model, { fleet, clean: { from: 0, to: fleet.days - 1 }, alarmShare: contamination });
  const result = testYourself({ fleet, model: tested, seed, rounds: Math.max(rounds, 1) });
  console.log(json === true ? JSON.stringify(result, null, 2) : selfTestTable(result));
}

async function loadFiles({ reported, feeders, topology }: SelfTestOptions): Promise<FleetPower> {
  if (feeders === undefined && topology === undefined) return await loadReported(reported);
  if (feeders === undefined || topology === undefined)
    throw new InputFileError('--feeders and --topology are given together');
  return await loadFleet({ reported, feeders, topology });
}

/** On homes that it was trained on a forest looks better than it is. A feeder is worth nothing without all of its meters. */
function trainedOnHalf(all: FleetPower, seed: number): { fleet: FleetPower; model: DayModel } {
  const isOf = (rest: number) => (_: unknown, index: number) => index % 2 === rest;
  const half = (rest: number): FleetPower => {
    if (all.feeders.length === 0) return { ...all, meters: all.meters.filter(isOf(rest)) };
    const feeders = all.feeders.filter(isOf(rest));
    const names = new Set(feeders.map(({ feeder }) => feeder));
    return { ...all, feeders, meters: all.meters.filter(({ feeder }) => feeder !== undefined && names.has(feeder)) };
  };
  const [trained, tested] = [half(0), half(1)];
  if (trained.meters.length === 0 || tested.meters.length === 0)
    throw new InputFileError(
      'without --bundle two meters are needed, or two feeders that supply some: one half is trained on, the other is tested',
    );
  return { fleet: tested, model: trainDayModel({ fleet: trained, clean: { from: 0, to: all.days - 1 }, seed }) };
}

async function modelOf(dir: string, { slotsPerDay }: FleetPower): Promise<DayModel> {
  const { theft } = await readBundle(dir, DAY_MS / 60_000 / slotsPerDay);
  if (theft.days === undefined) throw new InputFileError(`${dir}: the bundle has no model of days`);
  return theft.days;
}
