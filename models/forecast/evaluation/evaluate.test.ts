import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../../../agent/domain/brand.js';
import { seededRandom } from '../../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { firstSlots } from '../../series.js';
import { uncalibrated } from '../calibration.js';
import { horizonsFor, QUANTILES } from '../horizons.js';
import { createSeriesHistory } from '../series-history.js';
import { alignSeries } from './align.js';
import { BASELINES } from './baselines.js';
import { evaluate, type GroupResult, joinGroups, MODEL } from './evaluate.js';
import { parseGroup, usualGroups } from './groups.js';
import { chooseMeters } from './meters.js';
import { fitRidge } from './ridge.js';
import { trainYardsticks } from './yardsticks.js';

const shape = { slotMinutes: 30, horizons: horizonsFor(30) };
const STEPS = shape.horizons.length;
const ALL_STEPS = Array.from({ length: STEPS }, (_, step) => step);
const startMs = epochMs(Date.UTC(2024, 0, 1));
const DAYS = 40;
const TEST_FROM = 32 * 48;

/** The same day again and again, a little noise apart. */
function home(name: string, noise: number) {
  const random = seededRandom(name.length);
  const powerW = Float32Array.from(
    { length: DAYS * 48 },
    (_, slot) => 400 + 300 * Math.sin((slot / 48) * 2 * Math.PI) + noise * (random() - 0.5),
  );
  return { meter: name as MeterId, startMs, powerW };
}

const run = (powers: readonly ReturnType<typeof home>[], options: object = {}) =>
  evaluate({
    meters: powers.map((series) => createSeriesHistory(series, shape)),
    testFrom: TEST_FROM,
    groups: usualGroups(shape),
    baselines: BASELINES,
    ...options,
  });

test('on a load that repeats itself the seasons err by nothing and persistence by its slope', async () => {
  const { '1': next, '1-48': day } = await run([home('a', 0)]);
  for (const name of ['seasonal_day', 'seasonal_week', 'median_28d']) expect(next?.scores[name]?.mae).toBeCloseTo(0, 2);
  expect(next?.scores['persistence']?.mae).toBeCloseTo((300 * 4) / 48, 0);
  expect(next?.scores['ridge']?.mae).toBeLessThan(2);
  expect(day?.scores['persistence']?.mae).toBeGreaterThan(200);
  expect(next?.scores['persistence']?.r2).toBeGreaterThan(0.9);
});

test('figures are means over meters of per-meter figures, and the error of yesterday is the unit of the ratios', async () => {
  const both = await run([home('quiet', 10), home('loud one', 400)]);
  const single = await run([home('quiet', 10)]);
  const [quiet, loud] = both['1']?.perMeter ?? [];
  const mean = both['1']?.scores['persistence']?.mae ?? 0;
  expect(mean).toBeCloseTo(((quiet?.scores['persistence']?.mae ?? 0) + (loud?.scores['persistence']?.mae ?? 0)) / 2, 6);
  expect(quiet?.scores).toEqual(single['1']?.perMeter[0]?.scores);
  expect(both['1']?.scores['seasonal_day']?.mase_vs_seasonal).toBeCloseTo(1, 6);
});

test('trees know what they were taught and nothing of the test', async () => {
  const learnt = [home('a', 30)];
  const [first] = learnt;
  const wild = learnt.map((one) => ({
    ...one,
    powerW: one.powerW.map((value, slot) => (slot < TEST_FROM ? value : 9_999)),
  }));
  const [trees, others] = await Promise.all(
    [learnt, wild].map((meters) =>
      trainYardsticks(
        { trees: true },
        {
          meters: meters.map((one) => firstSlots(one, TEST_FROM)),
          shape,
          seed: 1,
          place: undefined,
          tell: () => undefined,
        },
      ),
    ),
  );
  expect(trees?.map(({ name }) => name)).toEqual(['trees']);
  if (first === undefined) throw new Error('no home');
  const [one, two] = [trees, others].map((yardstick) => {
    const out = new Float64Array(STEPS);
    yardstick?.[0]?.prepare(createSeriesHistory(first, shape), TEST_FROM, [TEST_FROM])(TEST_FROM, out, ALL_STEPS);
    return Array.from(out);
  });
  expect(one).toEqual(two);
  const { '1': next, '1-48': day } = await run(learnt, { baselines: trees ?? [] });
  // The noise is uniform, of 30 W from end to end: no forecast errs by less than a quarter of that.
  expect(next?.scores['trees']?.mae).toBeLessThan(20);
  expect(day?.scores['trees']?.mae).toBeLessThan(20);
}, 120_000);

test('parts of a test, one after the other, are the whole test', async () => {
  const middle = TEST_FROM + 100;
  const both = await Promise.all([
    run([home('a', 50)], { testUntil: middle }),
    run([home('a', 50)], { testFrom: middle }),
  ]);
  const whole = await run([home('a', 50)]);
  expect(both[0]?.['1']?.forecasts).toBe(100);
  expect(joinGroups(both.flatMap(({ '1': next }) => next ?? [])).forecasts).toBe(whole['1']?.forecasts);
});

test('what a meter has in several parts is one figure of it, each part by the slots that it scored there', async () => {
  const [quiet, loud] = [home('quiet', 10), home('loud one', 400)];
  // Most of the second part is missing, and what is left of it is wild.
  for (let slot = TEST_FROM + 200; slot < DAYS * 48 - 60; slot++) quiet.powerW[slot] = Number.NaN;
  const wild = (DAYS - 1) * 48;
  for (let slot = wild; slot < DAYS * 48; slot++) quiet.powerW[slot] = 9_000 * (slot % 2);
  const middle = TEST_FROM + 192;
  const baselines = BASELINES.filter(({ name }) => name !== 'ridge');
  const parts = [
    await run([quiet, loud], { testUntil: middle, baselines }),
    await run([quiet, loud], { testFrom: middle, baselines }),
  ];
  const joined = joinGroups(parts.flatMap(({ '1': next }) => next ?? []));
  const whole = (await run([quiet, loud], { baselines }))['1'];
  expect(joined.perMeter.map(({ meter, scored }) => [meter, scored])).toEqual(
    whole?.perMeter.map(({ meter, scored }) => [meter, scored]),
  );
  for (const [index, { scores }] of joined.perMeter.entries()) {
    for (const name of ['persistence', 'seasonal_day', 'median_28d']) {
      expect(scores[name]?.mae, name).toBeCloseTo(whole?.perMeter[index]?.scores[name]?.mae ?? Number.NaN, 6);
    }
  }
  const maes = joined.perMeter.map(({ scores }) => scores['persistence']?.mae ?? 0);
  expect(joined.scores['persistence']?.mae).toBeCloseTo(maes.reduce((sum, mae) => sum + mae, 0) / 2, 9);
});

test('the coverage of a month is that of all its slots, in whatever parts they were', () => {
  const part = (scored: number, adapted: number): GroupResult => ({
    scores: {},
    perMeter: [],
    aggregate: {},
    forecasts: scored,
    coverage: [{ month: '2024-02', adapted, asTrained: adapted / 2, scored }],
  });
  expect(joinGroups([part(900, 0.9), part(100, 0.5)]).coverage).toEqual([
    { month: '2024-02', adapted: 0.86, asTrained: 0.43, scored: 1_000 },
  ]);
});

test('only slots are scored that the actual and every method have a value for', async () => {
  const holes = home('holes', 50);
  for (let slot = TEST_FROM; slot < TEST_FROM + 100; slot++) holes.powerW[slot] = Number.NaN;
  const whole = await run([home('holes', 50)]);
  const less = await run([holes]);
  expect(less['1']?.forecasts).toBe((whole['1']?.forecasts ?? 0) - 100);
  for (const scores of Object.values(less['1']?.scores ?? {})) expect(Number.isFinite(scores.mae)).toBe(true);
});

test('the test part does not reach the baselines that are fitted', () => {
  const series = home('a', 200);
  const other = { ...series, powerW: series.powerW.map((value, slot) => (slot < TEST_FROM ? value : value + 5_000)) };
  const [one, two] = [series, other].map((each) => {
    const out = new Float64Array(STEPS);
    fitRidge(createSeriesHistory(each, shape), TEST_FROM)(TEST_FROM, out, ALL_STEPS);
    return Array.from(out);
  });
  expect(one).toEqual(two);
});

test('ridge finds a linear law', () => {
  const random = seededRandom(9);
  const powerW = new Float32Array(DAYS * 48);
  for (let slot = 0; slot < powerW.length; slot++) {
    const before = powerW[slot - 1] ?? 500;
    const earlier = powerW[slot - 48] ?? 500;
    powerW[slot] = 100 + 0.5 * before + 0.3 * earlier + 20 * random();
  }
  const forecast = fitRidge(createSeriesHistory({ meter: 'law' as MeterId, startMs, powerW }, shape), TEST_FROM);
  const out = new Float64Array(STEPS);
  let error = 0;
  for (let origin = TEST_FROM; origin < powerW.length - 48; origin++) {
    forecast(origin, out, ALL_STEPS);
    error += Math.abs((out[0] as number) - (powerW[origin] as number));
  }
  // What is left is the noise, of 20 W from end to end.
  expect(error / (powerW.length - 48 - TEST_FROM)).toBeLessThan(7);
});

test('bands learn of a miss only when its slots are over', async () => {
  const seen: number[] = [];
  const model = {
    calibration: { ...uncalibrated(STEPS), stretch: new Float32Array(STEPS * 13).map((_, index) => 1 + (index % 13)) },
    async predict(histories: readonly unknown[], factors: Float32Array) {
      seen.push(factors[0] as number);
      // Far off: every actual is missed.
      return histories.map(() => ({ watts: new Float32Array(STEPS * QUANTILES.length).fill(9_999) }));
    },
  };
  const long = parseGroup('1-48', shape);
  const { '1-48': result } = await run([home('a', 50)], { model, groups: [long] });
  expect(result?.scores[MODEL]?.coverage90).toBe(0);
  // Forecasts are 26 slots apart: at the second one, only the first 26 steps of the first have their actual.
  expect(seen[0]).toBe(seen[0]);
  expect(seen[1]).toBeGreaterThan(seen[0] as number);
  expect(seen.at(-1)).toBeGreaterThan(seen[1] as number);
});

test('groups are what the shape forecasts', () => {
  expect(
    usualGroups({ slotMinutes: 5, horizons: horizonsFor(5) }).map(({ name, steps }) => [name, steps.length]),
  ).toEqual([
    ['1', 1],
    ['1-12', 12],
    ['24h', 24],
  ]);
  expect(parseGroup('1-48', shape)?.steps).toHaveLength(48);
  for (const name of ['1-49', '0', 'x', '24h', '']) expect(parseGroup(name, shape), name).toBeUndefined();
});

test('meters are chosen by what lies before the test', () => {
  const whole = home('whole', 50);
  const gaps = { ...whole, powerW: whole.powerW.map((value, slot) => (slot < 210 ? Number.NaN : value)) };
  const zeros = { ...whole, powerW: whole.powerW.map((value, slot) => (slot % 4 === 0 ? 0 : value)) };
  const ends = { ...whole, powerW: whole.powerW.map((value, slot) => (slot < TEST_FROM + 100 ? value : Number.NaN)) };
  const wildLater = { ...whole, powerW: whole.powerW.map((value, slot) => (slot < TEST_FROM ? value : 0)) };
  const options = { testFrom: TEST_FROM, slotMinutes: 30 };
  expect(chooseMeters([whole, gaps, zeros, ends, wildLater], options)).toEqual([whole, wildLater]);
});

test('series of other lengths are laid beside each other', () => {
  const long = home('long', 5);
  const short = {
    ...home('short', 5),
    startMs: epochMs(startMs + 48 * 1_800_000),
    powerW: new Float32Array(10).fill(7),
  };
  const [same, moved] = alignSeries([long, short], shape);
  expect(same).toBe(long);
  expect(moved?.powerW.length).toBe(long.powerW.length);
  expect([47, 48, 57, 58].map((slot) => moved?.powerW[slot])).toEqual([Number.NaN, 7, 7, Number.NaN]);
  expect(long.powerW.length).toBeGreaterThan(WINDOW_SLOTS);
});
