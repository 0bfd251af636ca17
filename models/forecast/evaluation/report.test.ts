import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { type EvalOptions, type Evaluation, evaluateFile } from './file.js';
import { asJson, asTable } from './report.js';

/** Ridge is fitted for each meter, on a machine that may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const METERS = ['first', 'second'];
const METHODS = ['model', 'persistence', 'seasonal_day', 'seasonal_week', 'median_28d', 'ridge'];
let root: string;
let evaluation: Evaluation;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wattwarden-report-'));
  const csv = join(root, 'homes.csv');
  const random = seededRandom(6);
  const lines = Array.from({ length: 34 * 48 }, (_, slot) => {
    const time = new Date(Date.UTC(2024, 0, 1) + slot * 1_800_000).toISOString();
    const load = () => (0.4 + 0.3 * Math.sin((slot / 24) * Math.PI) + 0.1 * random()).toFixed(4);
    return [time, ...METERS.map(load)].join(',');
  });
  await writeFile(csv, [`time,${METERS.join(',')}`, ...lines].join('\n'));
  const options: EvalOptions = {
    csv,
    unit: 'kWh',
    step: 30,
    bundle: fileURLToPath(new URL('../../bundles/default-30min', import.meta.url)),
    seed: 1,
    precision: 'int8',
    horizon: ['1', '1-48'],
  };
  evaluation = await evaluateFile(options, () => undefined);
});

afterAll(() => rm(root, { recursive: true, force: true }));

test('one document says what was measured and has the same figures for every method', () => {
  const document = JSON.parse(asJson(evaluation, true));
  expect(document).toMatchObject({ unit: 'kWh', slot_minutes: 30, seed: 1, meters: 2, trainings: [] });
  expect(document.parameters).toBeGreaterThan(0);
  for (const horizon of ['1', '1-48']) {
    const { model, ...others } = document.horizons[horizon];
    expect(['model', ...Object.keys(others)]).toEqual(METHODS);
    const figures = ['mae', 'rmse', 'mase', 'mase_vs_seasonal', 'pinball', 'r2'];
    expect(Object.keys(model).toSorted()).toEqual([...figures, 'coverage90'].toSorted());
    for (const other of Object.values(others))
      expect(Object.keys(other as object).toSorted()).toEqual(figures.toSorted());
    expect(Object.keys(document.aggregate[horizon])).toEqual(METHODS);
    expect(Object.keys(document.mae_per_meter[horizon])).toEqual(METERS);
  }
});

test('errors are in the unit of the file, and those of the sum are of both meters', () => {
  const { horizons, aggregate } = JSON.parse(asJson(evaluation, false));
  const { mae } = horizons['1'].persistence;
  // The slope of the sine is 0.04 kWh a slot at most, and the noise 0.1 kWh from end to end.
  expect(mae).toBeGreaterThan(0.02);
  expect(mae).toBeLessThan(0.1);
  const both = aggregate['1'].persistence;
  expect(both.mae).toBeGreaterThan(mae);
  expect(both.mae).toBeLessThan(2 * mae);
  expect(both.mape).toBeGreaterThan(both.mae / 1.7);
  expect(both.mape).toBeLessThan(both.mae / 0.2);
});

test('the table has a line for each method, and one more for the sum', () => {
  const lines = asTable(evaluation, false).split('\n');
  for (const method of METHODS) expect(lines.filter((line) => line.startsWith(`${method} `))).toHaveLength(4);
  expect(lines.filter((line) => line.startsWith('their sum'))).toHaveLength(2);
});
