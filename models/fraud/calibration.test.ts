import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { calibrate, calibrated, DECLARED_SCORE } from './calibration.js';

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
