import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { plotsOf, simulatedLike, tableOf } from './simulator/realism/comparison.js';
import { loadHomes } from './simulator/realism/series-file.js';

interface Options {
  readonly step: number;
  readonly unit: keyof typeof UNITS;
  readonly columns?: number;
  readonly name?: string;
  readonly homes: number;
  readonly seed: number;
  readonly resolution: number;
  readonly out?: string;
}

/** To mean watts, from a step of so many minutes. */
const UNITS = {
  W: () => 1,
  kW: () => 1_000,
  Wh: (minutes: number) => 60 / minutes,
  kWh: (minutes: number) => 60_000 / minutes,
};

const command = new Command('realism')
  .description('Compares simulated households with real ones: a wide CSV of a time and one column per home.')
  .argument('<csv>', 'the file; .gz is unpacked')
  .requiredOption('--step <minutes>', 'between two rows of the file', positive)
  .addOption(new Option('--unit <unit>', 'of its values').choices(Object.keys(UNITS)).default('kWh'))
  .option('--columns <count>', 'of the file that are homes, when others follow', positive)
  .option('--name <words>', 'what the real homes are called in table and plots')
  .option('--homes <count>', 'simulated', positive, 100)
  .option('--seed <seed>', 'of the simulated homes', positive, 1)
  .option('--resolution <wh>', 'what the real meters count in', positive, 1)
  .option('--out <dir>', 'where plots are written; without it, the table alone')
  .parse();

const [path = ''] = command.args;
const { step, unit, columns, name, homes, seed, resolution, out } = command.opts<Options>();
const loaded = await loadHomes({
  path,
  stepMinutes: step,
  factor: UNITS[unit](step),
  ...(columns === undefined ? {} : { columns }),
});
const real = { ...loaded, name: name ?? loaded.name };
const both = [real, simulatedLike(real, { homes, seed, resolutionWh: resolution })];
console.log(tableOf(both));
if (out !== undefined) {
  mkdirSync(out, { recursive: true });
  for (const [file, svg] of Object.entries(plotsOf(both))) writeFileSync(join(out, file), svg);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0');
  return value;
}
