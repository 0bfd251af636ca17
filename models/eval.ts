import { Command } from 'commander';
import { describeFailure } from '../agent/domain/failure.js';
import { forecastEval } from './forecast/eval.js';
import { WideCsvError } from './wide-csv.js';

const program = new Command('eval')
  .description('Measures a model beside its baselines, on data of any origin.')
  .addCommand(forecastEval());

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof WideCsvError ? error.message : describeFailure(error));
  process.exitCode = 1;
}
