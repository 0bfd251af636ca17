import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import {
  calibrate,
  calibrateAgain,
  calibrated,
  DECLARED_SCORE,
  packCalibration,
  parseCalibration,
} from './calibration.js';

const random = seededRandom(11);
const raw = Float64Array.from({ length: 20_000 }, () => 0.35 + 0.3 * random() ** 3);

test('0.6 is reached by the declared share of clean scores', () => {
  const calibration = calibrate(raw);
  expect(raw.filter((value) => calibrated(calibration, value) >= DECLARED_SCORE).length).toBe(20);
  const percent = calibrate(raw, 0.01);
  expect(raw.filter((value) => calibrated(percent, value) >= DECLARED_SCORE).length).toBe(200);
});

test('the shown score rises with the raw one, from 0 to 1', () => {
  const calibration = calibrate(raw);
  const shown = Array.from({ length: 1_001 }, (_, step) => calibrated(calibration, step / 1_000));
  expect(shown[0]).toBe(0);
  expect(shown.at(-1)).toBe(1);
  expect(shown).toEqual([...shown].sort((a, b) => a - b));
});

test('scores that are all the same raise no alarm', () => {
  const calibration = calibrate(new Float64Array(500).fill(0.5));
  expect(calibrated(calibration, 0.5)).toBeLessThan(DECLARED_SCORE);
  expect(calibrated(calibration, 0.7)).toBeGreaterThan(DECLARED_SCORE);
});

const alarmsOf = (calibration: Parameters<typeof calibrated>[0]): number =>
  raw.filter((value) => calibrated(calibration, value) >= DECLARED_SCORE).length;

test('calibrated again, 0.6 is reached by the share that is asked for, and by that of before when asked for it', () => {
  const calibration = calibrate(raw);
  for (const share of [0.005, 0.007, 0.01, 0.02]) {
    const again = calibrateAgain(calibration, share);
    expect(again === undefined ? undefined : alarmsOf(again)).toBe(share * raw.length);
  }
  const between = calibrateAgain(calibration, 0.012);
  expect(between === undefined ? undefined : alarmsOf(between) / raw.length).toBeCloseTo(0.012, 3);
  const shown = Array.from({ length: 1_001 }, (_, step) => calibrated(between ?? calibration, step / 1_000));
  expect(shown).toEqual([...shown].sort((a, b) => a - b));
});

test('what a file says comes back; an older one without a tail cannot be calibrated again', () => {
  const calibration = calibrate(raw);
  expect(parseCalibration(packCalibration(calibration))).toEqual(calibration);
  const older = parseCalibration({ calibration: packCalibration(calibration).calibration });
  expect(older?.knots).toEqual(calibration.knots);
  expect(calibrateAgain(older ?? calibration, 0.01)).toBeUndefined();
});

test('knots that fall, and a tail that does not, are refused', () => {
  const knots: [number, number][] = [
    [0, 0],
    [0.5, 0.6],
    [1, 1],
  ];
  expect(
    parseCalibration({
      calibration: [
        [0, 0],
        [0.5, 0.6],
        [0.4, 1],
      ],
    }),
  ).toBeUndefined();
  expect(
    parseCalibration({
      calibration: knots,
      tail: [
        [0.01, 0.5],
        [0.02, 0.6],
      ],
    }),
  ).toBeUndefined();
  expect(
    parseCalibration({
      calibration: knots,
      tail: [
        [0.02, 0.6],
        [0.01, 0.5],
      ],
    }),
  ).toBeUndefined();
});

test('days that are all the same, calibrated again, raise no alarm either', () => {
  const again = calibrateAgain(calibrate(new Float64Array(500).fill(0.5)), 0.01);
  expect(again === undefined ? 1 : calibrated(again, 0.5)).toBeLessThan(DECLARED_SCORE);
});
