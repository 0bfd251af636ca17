import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { epochMs, type MeterId } from '../../../agent/domain/brand.js';
import { seededRandom } from '../../../agent/domain/clock.js';
import { horizonsFor } from '../horizons.js';
import { createSeriesHistory } from '../series-history.js';
import { BASELINES } from './baselines.js';
import { evaluate } from './evaluate.js';
import { type EvalOptions, type Evaluation, evaluateFile } from './file.js';
import { usualGroups } from './groups.js';
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

test('a ratio to nothing is null and a dash, and one that some meters have says how many', async () => {
  const days = 40;
  const random = seededRandom(3);
  const daily = (slot: number) => 400 + 300 * Math.sin((slot / 24) * Math.PI);
  const repeating = Float32Array.from({ length: days * 48 }, (_, slot) => daily(slot % 48));
  const still = repeating.map((watts, slot) => (slot < 30 * 48 ? watts : 230));
  const noisy = repeating.map((watts) => watts + 50 * random());
  const shape = { slotMinutes: 30, horizons: horizonsFor(30) };
  const resultsOf = (powers: readonly Float32Array[]) =>
    evaluate({
      meters: powers.map((powerW, index) =>
        createSeriesHistory({ meter: `m${index}` as MeterId, startMs: epochMs(0), powerW }, shape),
      ),
      testFrom: 38 * 48,
      groups: usualGroups(shape).slice(0, 1),
      baselines: BASELINES.filter(({ name }) => name !== 'ridge'),
    });

  const none = { ...evaluation, results: await resultsOf([still]) };
  const { horizons, aggregate, meters_with_ratio } = JSON.parse(asJson(none, false));
  expect(horizons['1'].persistence).toMatchObject({ mae: 0, mase: 0, mase_vs_seasonal: null, r2: null });
  expect(aggregate['1'].persistence.r2).toBeNull();
  expect(meters_with_ratio).toEqual({ '1': { mase_vs_seasonal: 0, r2: 0 } });
  expect(asTable(none, false)).toMatch(/^persistence .* 0\.000 +– .* –$/m);

  const some = JSON.parse(asJson({ ...evaluation, results: await resultsOf([repeating, noisy]) }, false));
  expect(some.horizons['1'].seasonal_day.mase_vs_seasonal).toBeCloseTo(1, 6);
  expect(some.meters_with_ratio).toEqual({ '1': { mase_vs_seasonal: 1 } });
  expect(JSON.parse(asJson(evaluation, false))).not.toHaveProperty('meters_with_ratio');
});
