import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { evaluateFile } from './file.js';

const BUNDLE = fileURLToPath(new URL('../../bundles/default-30min', import.meta.url));
const DAYS = 24;
const TEST_FROM = Date.UTC(2024, 0, 21);

/** Two meters in half hours, as lines of a file. */
function homes(): string {
  const random = seededRandom(7);
  const lines = Array.from({ length: DAYS * 48 }, (_, slot) => {
    const time = new Date(Date.UTC(2024, 0, 1) + slot * 1_800_000).toISOString();
    const day = Math.sin((slot / 48) * 2 * Math.PI);
    return `${time},${(0.4 + 0.2 * day + 0.1 * random()).toFixed(3)},${(0.3 - 0.1 * day + 0.2 * random()).toFixed(3)}`;
  });
  return ['time,a,b', ...lines].join('\n');
}

test('the plain LSTM learns from a file and is scored on the slots of all others', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plain-lstm-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const csv = join(dir, 'homes.csv');
  await writeFile(csv, homes());
  const said: string[] = [];
  const { results } = await evaluateFile(
    {
      csv,
      bundle: BUNDLE,
      step: 30,
      unit: 'kWh',
      testFrom: TEST_FROM,
      horizon: ['1', '1-48'],
      seed: 1,
      precision: 'int8',
      plainLstm: 12,
    },
    (line) => said.push(line),
  );
  expect(said.join('\n')).toContain('12 batches of 128 windows, seed 1');
  for (const { scores } of Object.values(results)) {
    const { plain_lstm: plain, persistence } = scores;
    expect(plain?.mae).toBeGreaterThan(0);
    expect(plain?.mae).toBeLessThan(3 * (persistence?.mae ?? 0));
  }
}, 180_000);
