import { Command } from 'commander';
import { describeFailure } from '../agent/domain/failure.js';
import { forecastEval } from './forecast/eval.js';
import { forestEval, theftEval } from './fraud/eval.js';
import { InputFileError } from './fraud/evaluation/table-file.js';
import { selfTestEval } from './fraud/self-test-command.js';
import { WideCsvError } from './wide-csv.js';

const program = new Command('eval')
  .description('Measures a model beside its baselines, on data of any origin.')
  .addCommand(forecastEval())
  .addCommand(theftEval())
  .addCommand(selfTestEval())
  .addCommand(forestEval());

try {
  await program.parseAsync();
} catch (error) {
  const isWords = error instanceof WideCsvError || error instanceof InputFileError;
  console.error(isWords ? error.message : describeFailure(error));
  process.exitCode = 1;
}
