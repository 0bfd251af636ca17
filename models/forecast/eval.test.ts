import { expect, test } from 'vitest';
import { forecastEval } from './eval.js';

async function refusal(...given: readonly string[]): Promise<unknown> {
  const command = forecastEval()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return await command.parseAsync(given, { from: 'user' }).catch((error: unknown) => error);
}

test.each([
  [['--folds', '0'], 'at least 2'],
  [['--folds', '1'], 'at least 2'],
  [['--folds-over-meters', '1'], 'at least 2'],
  [['--folds', '2', '--folds-over-meters', '2'], "'--folds <n>' cannot be used with option '--folds-over-meters"],
  [['--bundle', 'here', '--train'], "'--bundle <dir>' cannot be used with option '--train'"],
  [['--bundle', 'here', '--folds-over-meters', '5'], "cannot be used with option '--folds-over-meters"],
  [['--train', '--epochs', '0'], 'at least 1'],
])('%j is refused before a file is read', async (given, message) => {
  const error = await refusal('--csv', '/nowhere.csv', ...given);
  expect(error).toMatchObject({ message: expect.stringContaining(message) });
});
