import { Command } from 'commander';
import { DAY_MS } from '../../agent/domain/slot.js';
import { readBundle } from '../bundle/read.js';
import { share, whole } from '../command-options.js';
import { calibrateFor, type DayModel, trainDayModel } from './day-model.js';
import { FEWEST_SELF_TEST_DAYS, testYourself } from './evaluation/self-test.js';
import { InputFileError } from './evaluation/table-file.js';
import { selfTestTable } from './evaluation/tables.js';
import { loadReported } from './evaluation/theft-bench.js';
import type { FleetPower } from './fleet-power.js';

interface SelfTestOptions {
  readonly reported: string;
  readonly bundle?: string;
  readonly contamination?: number;
  readonly rounds: number;
  readonly seed: number;
  readonly json?: true;
}

/** `npm run eval -- theft-self-test`. */
export const selfTestEval = (): Command =>
  new Command('theft-self-test')
    .description('What the model of days would find in a fleet of your own: thefts injected into its clean weeks.')
    .requiredOption(
      '--reported <file>',
      'kWh per slot without theft, as far as is known: time, then a column per meter',
    )
    .option('--bundle <dir>', 'whose model is tested; without it one is trained on every second meter')
    .option('--contamination <share>', 'of the fleet’s clean days that may reach 0.6, whatever the model says', share)
    .option('--rounds <n>', 'how often a fifth of the meters steal for 30 days', whole, 5)
    .option('--seed <n>', 'of thieves, and of a forest that is trained', whole, 1)
    .option('--json', 'one JSON document')
    .action(selfTest);

async function selfTest({ reported, bundle, contamination, rounds, seed, json }: SelfTestOptions): Promise<void> {
  const all = await loadReported(reported);
  if (all.days < FEWEST_SELF_TEST_DAYS)
    throw new InputFileError(`${reported}: ${all.days} days, ${FEWEST_SELF_TEST_DAYS} are needed`);
  const { fleet, model } =
    bundle === undefined ? trainedOnHalf(all, seed) : { fleet: all, model: await modelOf(bundle, all) };
  const tested =
    contamination === undefined
      ? model
      : calibrateFor(model, { fleet, clean: { from: 0, to: fleet.days - 1 }, alarmShare: contamination });
  const result = testYourself({ fleet, model: tested, seed, rounds: Math.max(rounds, 1) });
  console.log(json === true ? JSON.stringify(result, null, 2) : selfTestTable(result));
}

/** On homes that it was trained on a forest looks better than it is. */
function trainedOnHalf(all: FleetPower, seed: number): { fleet: FleetPower; model: DayModel } {
  const half = (rest: number) => ({ ...all, meters: all.meters.filter((_, index) => index % 2 === rest) });
  return { fleet: half(1), model: trainDayModel({ fleet: half(0), clean: { from: 0, to: all.days - 1 }, seed }) };
}

async function modelOf(dir: string, { slotsPerDay }: FleetPower): Promise<DayModel> {
  const { theft } = await readBundle(dir, DAY_MS / 60_000 / slotsPerDay);
  if (theft.days === undefined) throw new InputFileError(`${dir}: the bundle has no model of days`);
  return theft.days;
}
