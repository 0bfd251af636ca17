import { Command, Option } from 'commander';
import { SLOT_MINUTES } from '../../agent/domain/slot.js';
import { atLeast, country, instant, list, slotWidth, whole, zone } from '../command-options.js';
import { UNITS } from '../wide-csv.js';
import { type EvalOptions, evaluateFile } from './evaluation/file.js';
import { asJson, asTable } from './evaluation/report.js';

/** `npm run eval -- forecast`. */
export function forecastEval(): Command {
  return new Command('forecast')
    .description('The forecaster beside persistence, seasonal-naive and ridge, on the same slots.')
    .option(
      '--csv <file>',
      'time (UTC where it names no zone), then one column per meter; .gz is unpacked. Otherwise generated homes',
    )
    .option('--step <width>', 'width of a slot: 5m, 10m, 15m, 30m or 60m', slotWidth, SLOT_MINUTES)
    .addOption(new Option('--unit <unit>', 'of the file').choices(['auto', ...UNITS]).default('auto'))
    .option('--columns <names>', 'the meters, where not all columns are', list)
    .option('--test-from <time>', 'first moment of the test; otherwise the last fifth', instant)
    .option('--horizon <list>', 'such as 1,1-48 or 1,1-12,24h; otherwise all there are', list)
    .addOption(
      new Option(
        '--bundle <dir>',
        'the bundle to measure; otherwise the shipped one for slots of that width',
      ).conflicts(['train', 'foldsOverMeters']),
    )
    .option('--train', 'train on the part before the test instead')
    .option(
      '--folds-over-meters <n>',
      'train as often, each time without one part of the meters, and test on that',
      atLeast(2),
    )
    .addOption(
      new Option('--folds <n>', 'cut the test into as many parts; train anew before each, on all that came before it')
        .argParser(atLeast(2))
        .conflicts('foldsOverMeters'),
    )
    .option('--epochs <n>', 'of a training', atLeast(1))
    .option('--seed <n>', 'of a training', whole, 1)
    .option('--work <dir>', 'where a training keeps what it has reached, to go on after an interruption')
    .addOption(new Option('--precision <precision>').choices(['int8', 'float32']).default('int8'))
    .option('--zone <name>', 'whose days and hours the meters live by, such as Europe/Paris; no zone of the file', zone)
    .option('--country <code>', 'whose public holidays they keep', country)
    .option('--all-meters', 'also those with many gaps or zeros')
    .option('--trees', 'gradient-boosted trees as a yardstick too (slow)')
    .option('--plain-lstm', 'an LSTM over 288 single steps as a yardstick too (slow)')
    .option('--per-meter', 'the errors of each meter too')
    .option('--json', 'one JSON document on standard output')
    .action(async (options: EvalOptions & { readonly json?: true; readonly perMeter?: true }) => {
      const evaluation = await evaluateFile(options, (line) => console.error(line));
      const perMeter = options.perMeter === true;
      console.log(options.json === true ? asJson(evaluation, perMeter) : asTable(evaluation, perMeter));
    });
}
