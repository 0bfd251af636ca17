import { beforeAll, expect, test } from 'vitest';
import { ANOMALY_TYPES } from '../../agent/domain/anomaly.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { windowAt } from '../forecast/samples.js';
import type { MeterSeries } from '../series.js';
import { createHouseholds } from '../synthetic.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { createSmallFleet } from './generated-fleet.js';
import { describe, packTheftModel, parseTheftModel, score, type TheftModel } from './theft-model.js';
import { trainTheftModel } from './theft-training.js';

const trainedOn = createHouseholds({ meters: 15, days: 6, seed: 21 });
const others = createHouseholds({ meters: 10, days: 3, seed: 22 });
let model: TheftModel;

beforeAll(async () => {
  model = await trainTheftModel({ series: trainedOn, seed: 1 });
});

/** The series with every slot from `from` on changed. */
function tampered(series: MeterSeries, from: number, change: (watts: number) => number): MeterSeries {
  return { ...series, powerW: series.powerW.map((watts, slot) => (slot >= from ? change(watts) : watts)) };
}

/** An evening, three hours into what begins at `from`. */
const from = WINDOW_SLOTS + 17 * 12;
const windowOf = (series: MeterSeries): SlotWindow => windowAt({ series, origin: from + 36 });

test('a register that stops is above the declared score for every home, and its sentence has figures', () => {
  for (const series of others) {
    const window = windowOf(tampered(series, from, () => 0));
    const scored = score(model, window, { expectedMedianW: 400 });
    expect(scored.score).toBeGreaterThan(0.6);
    expect(scored.actualWh).toBe(0);
    expect(scored.expectedWh).toBeCloseTo(400 / 12, 6);
    const { type, sentence } = describe(scored, window, 'en');
    expect(type).toBe('low_consumption');
    expect(sentence).toMatch(/0\.0\sWh in five minutes where 33\sWh were expected/);
  }
});

test('of slots of half an hour, energy is that of half an hour, and the sentence says how long its spans are', () => {
  for (const series of others) {
    const window = windowOf(tampered(series, from, () => 0));
    const scored = score(model, window, { expectedMedianW: 400, slotMinutes: 30 });
    expect(scored.expectedWh).toBeCloseTo(200, 6);
    const { sentence } = describe(scored, window, 'en');
    expect(sentence).toMatch(/0\.0\sWh in 30 minutes where 200\sWh were expected/);
    expect(sentence).toMatch(/last 6 hours/);
    expect(sentence).not.toMatch(/last hour|of the day|five minutes/);
  }
});

test('homes that it has not seen stay below the declared score', () => {
  const scores = others.flatMap((series) =>
    Array.from({ length: 280 }, (_, step) => {
      const origin = WINDOW_SLOTS + 1 + step * 2;
      return score(model, windowAt({ series, origin })).score;
    }),
  );
  const alarms = scores.filter((value) => value >= 0.6).length;
  expect(alarms / scores.length).toBeLessThan(0.02);
});

test('only the window is looked at: nothing after its end changes a score', () => {
  const [series] = others;
  if (series === undefined) throw new Error('no household');
  const origin = 2 * WINDOW_SLOTS;
  const changed = tampered(series, origin, (watts) => watts * 9 + 1_000);
  expect(score(model, windowAt({ series: changed, origin }))).toEqual(score(model, windowAt({ series, origin })));
});

test('contributions are shares of one, strongest first', () => {
  for (const series of others) {
    const { contributions } = score(model, windowOf(tampered(series, from, (watts) => watts * 0.04)));
    const shares = contributions.map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(shares.every((share) => share > 0)).toBe(true);
  }
});

test('no window, however odd, gives anything but finite scores and a sentence without NaN', () => {
  const odd = [0, 230, -400, 1e9, Number.NaN, Number.POSITIVE_INFINITY].map((watts) =>
    new Float32Array(WINDOW_SLOTS).fill(watts),
  );
  const lonely = new Float32Array(WINDOW_SLOTS).fill(Number.NaN);
  lonely[WINDOW_SLOTS - 1] = 120;
  for (const values of [...odd, lonely]) {
    const window = { endMs: epochMs(1_704_067_200_000), values };
    for (const expected of [undefined, Number.NaN, 100]) {
      const scored = score(model, window, { expectedMedianW: expected });
      expect([scored.raw, scored.score, scored.actualWh, scored.expectedWh].every(Number.isFinite)).toBe(true);
      const { type, sentence } = describe(scored, window, 'en');
      expect(ANOMALY_TYPES).toContain(type);
      expect(sentence).not.toMatch(/NaN|Infinity|undefined/);
    }
  }
});

test('a packed model scores as before, and the same seed packs the same bytes', async () => {
  const text = packTheftModel(model);
  expect(packTheftModel(await trainTheftModel({ series: trainedOn, seed: 1 }))).toBe(text);
  const read = parseTheftModel(JSON.parse(text));
  if ('reason' in read) throw new Error(read.reason);
  for (const series of others) expect(score(read, windowOf(series))).toEqual(score(model, windowOf(series)));
});

test('series of a hundred days give a model of days too, and both are packed small and read back whole', async () => {
  const fleet = createSmallFleet({ meters: 8, days: 100 });
  const series = fleet.meters.map(({ meter, powerW }) => ({ meter: meter as MeterId, startMs: fleet.startMs, powerW }));
  const whole = await trainTheftModel({ series, seed: 1, slotMinutes: 30 });
  expect(whole.days?.forest.roots).toHaveLength(100);
  const text = packTheftModel(whole);
  expect(text.length).toBeLessThan(36 * 1_024);
  const file = JSON.parse(text) as { days: { forest: { nodes: string } } };
  expect(parseTheftModel(file)).toEqual(whole);
  file.days.forest.nodes = file.days.forest.nodes.slice(0, -8);
  expect(parseTheftModel(file)).toHaveProperty('reason');
});

test('a model for other features, or with a falling calibration, is refused with the reason', () => {
  const file = JSON.parse(packTheftModel(model)) as { features: string[]; calibration: number[][] };
  const renamed = { ...file, features: file.features.map((name) => `${name}_2`) };
  expect(parseTheftModel(renamed)).toEqual({ reason: expect.stringContaining('other features') });
  const falling = { ...file, calibration: [...file.calibration].reverse() };
  expect(parseTheftModel(falling)).toEqual({ reason: expect.stringContaining('rise') });
  expect(parseTheftModel({})).toHaveProperty('reason');
});

test('too little history is named', async () => {
  const short = trainedOn.map((series) => ({ ...series, powerW: series.powerW.subarray(0, WINDOW_SLOTS) }));
  await expect(trainTheftModel({ series: short, seed: 1 })).rejects.toMatchObject({ code: 'model.no_data' });
});
