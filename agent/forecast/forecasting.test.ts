import { expect, test } from 'vitest';
import { uncalibrated } from '../../models/forecast/calibration.js';
import { HORIZONS, QUANTILES } from '../../models/forecast/horizons.js';
import { createRoom, createSlotWindows } from '../../models/window/slot-windows.js';
import { epochMs, type MeterId } from '../domain/brand.js';
import { unpackForecast } from '../domain/forecast-packing.js';
import { SLOT_MS, WINDOW_SLOTS } from '../domain/slot.js';
import { createForecasting, type Forecaster } from './forecasting.js';

const START = epochMs(1_704_067_200_000);
const at = (slot: number) => epochMs(START + slot * SLOT_MS);
const meters = Array.from({ length: 150 }, (_, index) => `m-${index}` as MeterId);
const [FIRST] = meters as [MeterId];

/** Says of every step of a meter what its newest slot was; the bands a watt to either side. */
const repeating: Forecaster = {
  version: 'repeating',
  horizons: HORIZONS,
  calibration: uncalibrated(HORIZONS.length),
  predict: async (histories) =>
    histories.map(({ window }) => ({
      watts: Float32Array.from(
        { length: HORIZONS.length * QUANTILES.length },
        (_, index) => (window.values.at(-1) ?? 0) + Math.sign((index % QUANTILES.length) - 3),
      ),
    })),
};

function remember(slots: number) {
  const windows = createSlotWindows();
  const put = (slot: number) => {
    for (const [index, meter] of meters.entries()) windows.put(meter, at(slot), 100 + index);
  };
  for (let slot = 0; slot < slots; slot++) put(slot);
  return { windows, put, forecasting: createForecasting(windows) };
}

test('every meter gets its own forecast, whatever part of the meters it falls into', async () => {
  const { forecasting } = remember(WINDOW_SLOTS);
  const forecasts = await forecasting.forecast(meters, repeating);
  expect(forecasts.map(({ meter }) => meter)).toEqual(meters);
  for (const [index, { packed, issuedSlotMs }] of forecasts.entries()) {
    expect(issuedSlotMs).toBe(at(WINDOW_SLOTS));
    const steps = unpackForecast(packed) ?? [];
    expect(steps.length).toBe(HORIZONS.length);
    for (const { medianW, lowW, highW } of steps) {
      expect(medianW).toBeCloseTo(100 + index, 0);
      expect([lowW < medianW, highW > medianW]).toEqual([true, true]);
    }
  }
  expect(forecasting.expectedW(meters[149] as MeterId, at(WINDOW_SLOTS + 11))).toBe(249);
  expect(forecasting.expectedW(FIRST, at(WINDOW_SLOTS + 12))).toBeUndefined();
});

test('histories are written into the rooms of the model, and elsewhere when there are no more of them', async () => {
  const { forecasting } = remember(WINDOW_SLOTS);
  const rooms = Array.from({ length: 50 }, () => createRoom(WINDOW_SLOTS));
  const places = rooms.map(({ values }) => values);
  let inRooms = 0;
  const forecasts = await forecasting.forecast(meters, {
    ...repeating,
    rooms,
    predict(histories, ...more) {
      inRooms += histories.filter(({ window }, index) => window.values === places[index]).length;
      return repeating.predict(histories, ...more);
    },
  });
  expect(forecasts.map(({ meter }) => meter)).toEqual(meters);
  // Of parts of 64, 64 and 22 meters.
  expect(inRooms).toBe(50 + 50 + 22);
  expect(forecasting.expectedW(meters[149] as MeterId, at(WINDOW_SLOTS))).toBe(249);
});

test('the hours of the next day come once an hour, and again with a forecast that is made anew', async () => {
  const { put, forecasting } = remember(WINDOW_SLOTS);
  const stepsOf = async () => {
    const [forecast] = await forecasting.forecast([FIRST], repeating);
    return { steps: unpackForecast(forecast?.packed ?? new Uint8Array())?.length, bytes: forecast?.packed.length ?? 0 };
  };
  let bytes = 0;
  for (let slot = WINDOW_SLOTS; slot < WINDOW_SLOTS + 24; slot++) {
    const first = await stepsOf();
    const again = await stepsOf();
    const due = slot % 12 === 0;
    expect([first.steps, again.steps], `slot ${slot}`).toEqual(due ? [36, 36] : [12, 12]);
    bytes += first.bytes;
    put(slot);
  }
  expect(bytes / 24).toBeLessThanOrEqual(60);
});

test('a meter with less than an hour of slots is left out, and costs the others nothing', async () => {
  const { windows, forecasting } = remember(WINDOW_SLOTS);
  const young = 'young' as MeterId;
  for (let slot = 0; slot < 11; slot++) windows.put(young, at(slot), 7);
  const forecasts = await forecasting.forecast([young, ...meters, 'stranger' as MeterId], repeating);
  expect(forecasts.map(({ meter }) => meter)).toEqual(meters);
});

test('a forecast without finite values is refused by the name of its model', async () => {
  const { forecasting } = remember(WINDOW_SLOTS);
  const broken = {
    ...repeating,
    version: 'broken-7',
    predict: async () => [{ watts: new Float32Array(HORIZONS.length * QUANTILES.length).fill(Number.NaN) }],
  };
  await expect(forecasting.forecast([FIRST], broken)).rejects.toMatchObject({
    code: 'bundle.unreadable',
    message: expect.stringContaining('broken-7'),
  });
});

test('the thread hears what else there is between two parts of the meters', async () => {
  const { forecasting } = remember(WINDOW_SLOTS);
  let heard = false;
  setImmediate(() => {
    heard = true;
  });
  await forecasting.forecast([FIRST], repeating);
  expect(heard).toBe(false);
  await forecasting.forecast(meters, repeating);
  expect(heard).toBe(true);
});

test('bands begin where the model before the start had come to, and a new model begins with its own', async () => {
  const { windows } = remember(WINDOW_SLOTS);
  const given: Float32Array[] = [];
  const model = (version: string): Forecaster => ({
    ...repeating,
    version,
    calibration: { ...uncalibrated(HORIZONS.length), stretch: uncalibrated(HORIZONS.length).stretch.fill(2) },
    async predict(histories, factors, room) {
      given.push(factors.slice());
      return repeating.predict(histories, factors, room);
    },
  });
  const missRates = new Float64Array(HORIZONS.length).fill(0.05);
  const forecasting = createForecasting(windows, { bandsOf: (version) => (version === 'old' ? missRates : undefined) });
  expect(forecasting.bands()).toBeUndefined();
  await forecasting.forecast([FIRST], model('old'));
  expect(forecasting.bands()).toEqual({ modelVersion: 'old', missRates });
  await forecasting.forecast([FIRST], model('new'));
  expect(given.map((factors) => factors[0])).toEqual([2, 1]);
  expect(forecasting.bands()?.missRates[0]).toBe(0.1);
});
