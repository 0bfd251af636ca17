import { afterEach, beforeEach, expect, test } from 'vitest';
import { changeSeq } from '../domain/brand.js';
import type { ForecastStep } from '../domain/forecast.js';
import { packSteps } from '../domain/forecast-packing.fixture.js';
import type { AnalysisResult } from '../domain/results.js';
import { at, type Bench, createBench, meterId, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
const step = (offsetSlots: number, slots: number, medianW = 500): ForecastStep => ({
  offsetSlots,
  slots,
  lowW: medianW,
  medianW,
  highW: medianW,
});
const nextHour = Array.from({ length: 12 }, (_, n) => step(n, 1, n));
const nextDay = Array.from({ length: 24 }, (_, n) => step(n * 12, 12, 1_000 + n));

const result = (upTo: number, more: Partial<AnalysisResult> = {}): AnalysisResult => ({
  forecasts: [{ meter: meterId('a'), issuedSlotMs: at(5 * MINUTE), modelVersion: 'v1', packed: packSteps(nextHour) }],
  scores: [{ meter: meterId('a'), slotStartMs: at(0), score: 0.8765, rawScore: 0.5432, modelVersion: 'v1' }],
  anomalies: [
    {
      meter: meterId('a'),
      slotStartMs: at(0),
      score: 0.8765,
      rawScore: 0.5432,
      type: 'low_consumption',
      expectedWh: 12.3456,
      actualWh: 0,
      contributions: [{ feature: 'ratio_24h', share: 0.7 }],
      circumstances: { mean24hW: 412.5, hour: 23, weekend: true },
      sentence: 'Far less than usual.',
      modelVersion: 'v1',
    },
  ],
  analysedUpTo: changeSeq(upTo),
  ...more,
});

function closedSlot() {
  const buffer = bench.open();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.closeSlots(at(60 * MINUTE), 10);
  return { buffer, reader: bench.reader() };
}

test('a score is sent again to the centre but is no reason to analyse again', () => {
  const { buffer, reader } = closedSlot();
  const first = reader.slotsToAnalyse(reader.analysedUpTo(), 10);
  expect(first.slots.map((slot) => slot.scoreE4)).toEqual([null]);
  const before = first.slots[0]?.changeSeq ?? 0;

  buffer.storeAnalysis(result(first.upTo));
  expect(reader.analysedUpTo()).toBe(first.upTo);
  expect(reader.stream('slot', before, 10)).toMatchObject([
    { revision: 2, scoreE4: 8_765, rawScoreE4: 5_432, modelVersion: 'v1' },
  ]);
  expect(reader.slotsToAnalyse(first.upTo, 10).slots).toEqual([]);

  buffer.commit({ readings: [reading('a', 1_000)], rejected: [] });
  buffer.closeSlots(at(60 * MINUTE), 10);
  expect(reader.slotsToAnalyse(first.upTo, 10).slots).toMatchObject([{ revision: 3, count: 2 }]);
});

test('a score of a slot that has changed meanwhile is left out: the slot is analysed again', () => {
  const { buffer, reader } = closedSlot();
  const { upTo } = reader.slotsToAnalyse(changeSeq(0), 10);
  buffer.commit({ readings: [reading('a', 1_000)], rejected: [] });
  buffer.closeSlots(at(60 * MINUTE), 10);
  buffer.storeAnalysis(result(upTo));
  const again = reader.slotsToAnalyse(upTo, 10);
  expect(again.slots).toMatchObject([{ revision: 2, scoreE4: null }]);
  expect(reader.anomalies({ limit: 9 })).toEqual([]);
  buffer.storeAnalysis(result(again.upTo));
  expect(reader.stream('slot', 0, 9)).toMatchObject([{ revision: 3, scoreE4: 8_765 }]);
  expect(reader.anomalies({ limit: 9 })).toHaveLength(1);
});

test('an anomaly that is none any more is withdrawn, and the centre hears of it', () => {
  const { buffer, reader } = closedSlot();
  const analysed = (more: Partial<AnalysisResult> = {}) => {
    buffer.storeAnalysis(result(buffer.head().changeSeq, { forecasts: [], ...more }));
    return [reader.anomalies({ limit: 9 }), reader.anomalies({ meter: meterId('a'), limit: 9 })].map(
      (rows) => rows.length,
    );
  };
  const calm = {
    anomalies: [],
    scores: [{ meter: meterId('a'), slotStartMs: at(0), score: 0.1, rawScore: 0.05, modelVersion: 'v2' }],
  };
  expect(analysed()).toEqual([1, 1]);
  const before = buffer.head().changeSeq;
  buffer.commit({ readings: [reading('a', 1_000)], rejected: [] });
  buffer.closeSlots(at(60 * MINUTE), 10);
  // What was computed before the late reading says nothing about the slot as it is now.
  buffer.storeAnalysis(result(before, { ...calm, forecasts: [] }));
  expect(reader.anomalies({ limit: 9 })).toHaveLength(1);
  expect(analysed(calm)).toEqual([0, 0]);
  expect(reader.totals().anomalies).toBe(0);
  const cleared = reader.stream('anomaly', before, 9);
  expect(cleared).toMatchObject([
    {
      revision: 2,
      scoreE4: 1_000,
      rawScoreE4: 500,
      contributions: '[]',
      circumstances: null,
      sentence: '',
      modelVersion: 'v2',
    },
  ]);
  expect(analysed(calm)).toEqual([0, 0]);
  expect(reader.stream('anomaly', before, 9)).toEqual(cleared);
  expect(analysed()).toEqual([1, 1]);
  const [back] = reader.stream('anomaly', before, 9);
  expect(back).toMatchObject({ revision: 3, scoreE4: 8_765 });
  expect(JSON.parse(back?.circumstances ?? '')).toEqual({ mean24hW: 412.5, hour: 23, weekend: true });
  expect(reader.totals().anomalies).toBe(1);
});

test('the same result stored twice changes nothing', () => {
  const { buffer, reader } = closedSlot();
  const everything = () => [
    reader.stream('slot', 0, 9),
    reader.stream('forecast', 0, 9),
    reader.stream('anomaly', 0, 9),
    reader.analysedUpTo(),
    reader.totals().forecasts,
    reader.totals().anomalies,
  ];
  buffer.storeAnalysis(result(1));
  const before = everything();
  buffer.storeAnalysis(result(1));
  expect(everything()).toEqual(before);
  expect(before.slice(4)).toEqual([1, 1]);
});

test('a different result for the same slot is a revision', () => {
  const { buffer, reader } = closedSlot();
  buffer.storeAnalysis(result(1));
  const [anomaly] = result(1).anomalies;
  const changed = result(1, {
    forecasts: result(1).forecasts.map((forecast) => ({ ...forecast, modelVersion: 'v2' })),
    anomalies: anomaly === undefined ? [] : [{ ...anomaly, sentence: 'Another.' }],
  });
  const seen = buffer.head().changeSeq;
  buffer.storeAnalysis(changed);
  expect(reader.stream('forecast', seen, 9)).toMatchObject([{ revision: 2, modelVersion: 'v2' }]);
  expect(reader.stream('anomaly', seen, 9)).toMatchObject([{ revision: 2, sentence: 'Another.', expectedMwh: 12_346 }]);
  expect(reader.stream('slot', seen, 9)).toEqual([]);
});

test('the cursor of the analysis neither goes back nor beyond what there is', () => {
  const { buffer, reader } = closedSlot();
  const nothing = { forecasts: [], scores: [], anomalies: [] };
  buffer.storeAnalysis({ ...nothing, analysedUpTo: changeSeq(1) });
  buffer.storeAnalysis({ ...nothing, analysedUpTo: changeSeq(0) });
  expect(reader.analysedUpTo()).toBe(1);
  buffer.storeAnalysis({ ...nothing, analysedUpTo: changeSeq(1_000) });
  expect(reader.analysedUpTo()).toBe(reader.head().changeSeq);
});

test('slots to analyse come in pages that end where the next one begins', () => {
  const buffer = bench.open();
  const readings = Array.from({ length: 10 }, (_, n) => reading('a', n * 5 * MINUTE));
  buffer.commit({ readings, rejected: [] });
  buffer.closeSlots(at(24 * 60 * MINUTE), 100);
  const reader = bench.reader();
  const seen: number[] = [];
  let after = changeSeq(0);
  for (let page = 0; page < 5; page += 1) {
    const { slots, upTo } = reader.slotsToAnalyse(after, 3);
    seen.push(...slots.map((slot) => slot.slotStartMs));
    after = upTo;
  }
  expect(seen).toEqual(readings.map((one) => one.takenAtMs));
  expect(after).toBe(reader.head().changeSeq);
});

test('the newest forecast goes on with the rest of the last outlook', () => {
  const { buffer, reader } = closedSlot();
  const forecast = (offsetMs: number, steps: readonly ForecastStep[]) =>
    result(1, {
      forecasts: [{ meter: meterId('a'), issuedSlotMs: at(offsetMs), modelVersion: 'v1', packed: packSteps(steps) }],
    });
  expect(reader.latestForecast(meterId('a'))).toBeUndefined();
  buffer.storeAnalysis(forecast(5 * MINUTE, [...nextHour, ...nextDay]));
  expect(reader.latestForecast(meterId('a'))?.steps).toHaveLength(36);
  buffer.storeAnalysis(forecast(20 * MINUTE, nextHour));
  buffer.storeAnalysis(forecast(15 * MINUTE, nextHour));
  const latest = reader.latestForecast(meterId('a'));
  expect(latest).toMatchObject({ issuedSlotMs: at(20 * MINUTE), modelVersion: 'v1' });
  expect(latest?.steps.map((one) => [one.offsetSlots, one.slots, one.medianW]).slice(11, 14)).toEqual([
    [11, 1, 11],
    [21, 12, 1_002],
    [33, 12, 1_003],
  ]);
  expect(reader.latestForecast(meterId('stranger'))).toBeUndefined();
});

test('a forecast of an unknown meter is left out, the rest is stored', () => {
  const { buffer, reader } = closedSlot();
  const [good] = result(1).forecasts;
  const unknown = { meter: meterId('nobody'), issuedSlotMs: at(0), modelVersion: 'v1', packed: packSteps(nextHour) };
  buffer.storeAnalysis(result(1, { forecasts: [unknown, ...(good === undefined ? [] : [good])] }));
  expect(reader.stream('forecast', 0, 9)).toHaveLength(1);
});

test('old forecasts are dropped, when the centre has them', () => {
  const buffer = bench.open({ retentionMs: 60 * MINUTE, keepUnsettled: true });
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.storeAnalysis(result(0));
  const late = at(66 * MINUTE);
  expect(buffer.prune(late).forecasts).toBe(0);
  buffer.settle('forecast', {
    logId: buffer.logId,
    ranges: [{ after: 0, upTo: buffer.head().changeSeq }],
  });
  expect(buffer.prune(at(64 * MINUTE)).forecasts).toBe(0);
  expect(buffer.prune(late).forecasts).toBe(1);
  expect(bench.reader().totals().forecasts).toBe(0);
});

test('where the bands of a model have come to is there after a restart, for each model by itself', () => {
  const { buffer, reader } = closedSlot();
  const missRates = Float64Array.of(0.1, 0.05, -0.2);
  buffer.storeAnalysis(result(1, { bands: { modelVersion: 'v1', missRates } }));
  buffer.storeAnalysis(result(1, { bands: { modelVersion: 'v2', missRates: missRates.slice(1) } }));
  buffer.storeAnalysis(result(1));
  expect(reader.missRatesOf('v1')).toEqual(missRates);
  buffer.close();
  bench.open();
  const again = bench.reader();
  expect(again.missRatesOf('v1')).toEqual(missRates);
  expect(again.missRatesOf('v2')).toEqual(missRates.slice(1));
  expect(again.missRatesOf('v3')).toBeUndefined();
});
