import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test, vi } from 'vitest';
import { epochMs, type MeterId } from '../../../agent/domain/brand.js';
import { seededRandom } from '../../../agent/domain/clock.js';
import { horizonsFor } from '../horizons.js';
import { createSeriesHistory } from '../series-history.js';
import { BASELINES } from './baselines.js';
import { evaluate, type GroupResult } from './evaluate.js';
import { usualGroups } from './groups.js';
import { run } from './runs.js';
import { trainYardsticks } from './yardsticks.js';

vi.mock('./yardsticks.js', { spy: true });
/** Trainings on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000 });

const DAYS = 36;
const TEST_FROM = 32 * 24;
const MIDDLE = 34 * 24;

function home(name: string): { meter: MeterId; startMs: ReturnType<typeof epochMs>; powerW: Float32Array } {
  const random = seededRandom(name.length);
  const powerW = Float32Array.from(
    { length: DAYS * 24 },
    (_, slot) => 400 + 300 * Math.sin((slot / 12) * Math.PI) + 100 * random(),
  );
  return { meter: name as MeterId, startMs: epochMs(Date.UTC(2024, 0, 1)), powerW };
}

const [one, other] = [home('one'), home('other')];
// Of the second part of the test little is there of this one.
one.powerW.fill(Number.NaN, MIDDLE + 5, MIDDLE + 40);
const series = [one, other];
const bundle = fileURLToPath(new URL('../../bundles/default-30min', import.meta.url));
const options = { step: 60, seed: 1, precision: 'int8', epochs: 1, horizon: ['1'] } as const;
const said: string[] = [];
const data = { series, testFrom: TEST_FROM, tell: (line: string) => said.push(line) };

beforeEach(() => {
  vi.mocked(trainYardsticks).mockClear();
  said.length = 0;
});

const maesOf = (result: GroupResult | undefined, method: string): number[] =>
  (result?.perMeter ?? []).map(({ scores }) => scores[method]?.mae ?? Number.NaN);

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('parts of the test, each with a training on what came before it, are one test of each meter', async () => {
  const { results, trainings, model } = await run({ ...options, train: true, folds: 2 }, data);
  const { '1': next } = results;
  expect(trainings).toHaveLength(2);
  expect(model).toContain('over 2 parts of the test');
  expect(next?.perMeter.map(({ meter }) => meter)).toEqual(['one', 'other']);
  for (const [method, { mae }] of Object.entries(next?.scores ?? {})) {
    expect(mae, method).toBeCloseTo(meanOf(maesOf(next, method)), 9);
  }
  // What learns nothing cannot tell a test in parts from a whole one.
  const shape = { slotMinutes: 60, horizons: horizonsFor(60) };
  const whole = await evaluate({
    meters: series.map((each) => createSeriesHistory(each, shape)),
    testFrom: TEST_FROM,
    groups: usualGroups(shape).slice(0, 1),
    baselines: BASELINES,
  });
  const [joined, atOnce] = [maesOf(next, 'persistence'), maesOf(whole['1'], 'persistence')];
  for (const [meter, mae] of joined.entries()) expect(mae).toBeCloseTo(atOnce[meter] ?? Number.NaN, 6);
});

test('each meter is left out once, and what stands beside the model learns once for each training', async () => {
  const { results, trainedOn, trainings } = await run({ ...options, foldsOverMeters: 2 }, data);
  expect(trainings).toHaveLength(2);
  expect(trainYardsticks).toHaveBeenCalledTimes(2);
  for (const { '1': next } of [results, trainedOn ?? {}]) {
    expect(next?.perMeter.map(({ meter }) => meter).toSorted()).toEqual(['one', 'other']);
    expect(next?.scores['model']?.mae).toBeCloseTo(meanOf(maesOf(next, 'model')), 9);
  }
});

test('with more folds than meters, or slots, it is said of what there are too few', async () => {
  await expect(run({ ...options, foldsOverMeters: 3 }, data)).rejects.toThrow('3 folds need as many meters');
  await expect(run({ ...options, train: true, folds: 1_000 }, data)).rejects.toThrow('1000 folds need as many slots');
});

test.each([{ train: true }, { foldsOverMeters: 2 }] as const)(
  'a horizon that slots of this width do not have is named before anything is trained (%o)',
  async (how) => {
    const asked = run({ ...options, ...how, horizon: ['1', '1-60'] }, data);
    await expect(asked).rejects.toThrow('--horizon 1-60: slots of 60 minutes have 1, 1-24 and what lies within');
    expect(said).toEqual([]);
  },
);

test('nor one that a bundle does not have', async () => {
  await expect(run({ ...options, step: 30, bundle, horizon: ['49'] }, data)).rejects.toThrow(
    '--horizon 49: slots of 30 minutes have 1, 1-48',
  );
});
