import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { createAdaptiveBands } from './adaptive-bands.js';
import { calibrate, packCalibration, parseCalibration, uncalibrated } from './calibration.js';
import { HIGH, LOW, MEDIAN, QUANTILES } from './horizons.js';

const STEPS = 2;
const ROWS = 4_000;

/** Answers whose bands are far too narrow below and a little too wide above, on loads that are skewed. */
function skewed(seed: number) {
  const random = seededRandom(seed);
  const answers = new Float32Array(ROWS * STEPS * QUANTILES.length);
  const actuals = new Float32Array(ROWS * STEPS);
  for (let row = 0; row < ROWS; row++) {
    for (let step = 0; step < STEPS; step++) {
      const middle = random() * 3;
      actuals[row * STEPS + step] = middle + (random() < 0.5 ? -random() : 3 * random()) * (step + 1);
      for (const [quantile, level] of QUANTILES.entries()) {
        const distance = level < 0.5 ? level - 0.5 : 8 * (level - 0.5);
        answers[(row * QUANTILES.length + quantile) * STEPS + step] = middle + distance;
      }
    }
  }
  return { steps: STEPS, rows: ROWS, answers, actuals, weights: new Float32Array(ROWS * STEPS).fill(1) };
}

function shareBelow(
  data: ReturnType<typeof skewed>,
  factors: Float32Array,
  { step, quantile }: { step: number; quantile: number },
) {
  let below = 0;
  for (let row = 0; row < ROWS; row++) {
    const at = (index: number) => data.answers[(row * QUANTILES.length + index) * STEPS + step] as number;
    const factor = factors[step * QUANTILES.length + quantile] as number;
    const edge = at(MEDIAN) + factor * (at(quantile) - at(MEDIAN));
    if ((data.actuals[row * STEPS + step] as number) < edge) below += 1;
  }
  return below / ROWS;
}

test('on other data of the same kind each quantile is passed as often as it says', () => {
  const { factors } = calibrate(skewed(1));
  const others = skewed(2);
  for (let step = 0; step < STEPS; step++) {
    for (const [quantile, level] of QUANTILES.entries()) {
      if (quantile === MEDIAN) continue;
      expect(Math.abs(shareBelow(others, factors, { step, quantile }) - level)).toBeLessThan(0.025);
    }
  }
  // Without, the lower edge is passed far too often: the test can fail.
  expect(shareBelow(others, uncalibrated(STEPS).factors, { step: 1, quantile: LOW })).toBeGreaterThan(0.2);
});

test('the mean of a skewed load lies above its median', () => {
  const data = skewed(3);
  const { mean } = calibrate(data);
  const weighed = (weights: Float32Array, row: number) =>
    QUANTILES.reduce(
      (sum, _, quantile) =>
        sum + (weights[quantile] as number) * (data.answers[(row * QUANTILES.length + quantile) * STEPS] as number),
      0,
    );
  const bias = (weights: Float32Array) => {
    let sum = 0;
    for (let row = 0; row < ROWS; row++) sum += (data.actuals[row * STEPS] as number) - weighed(weights, row);
    return Math.abs(sum / ROWS);
  };
  expect(bias(mean)).toBeLessThan(0.05);
});

test('too few actuals leave the bands as they are', () => {
  const data = skewed(1);
  const { factors } = calibrate({ ...data, weights: data.weights.map((_, index) => (index < 50 ? 1 : 0)) });
  expect(factors.every((factor) => factor === 1)).toBe(true);
});

test('a calibration is read back, and one for other steps or out of bounds is not', () => {
  const calibration = calibrate(skewed(1));
  const parsed = parseCalibration(JSON.parse(packCalibration(calibration)), STEPS);
  if ('reason' in parsed) throw new Error(parsed.reason);
  for (const [index, factor] of calibration.factors.entries()) expect(parsed.factors[index]).toBeCloseTo(factor, 3);
  expect(parseCalibration(JSON.parse(packCalibration(calibration)), 3)).toMatchObject({ reason: 'not for 3 steps' });
  const wild = { ...calibration, stretch: calibration.stretch.map(() => Number.NaN) };
  expect(parseCalibration(JSON.parse(packCalibration(wild)), STEPS)).toMatchObject({
    reason: 'a factor is out of bounds',
  });
  expect(parseCalibration({ factors: 1 }, STEPS)).toHaveProperty('reason');
});

test('bands that miss too much widen until they hold nine of ten, and those that never miss narrow', () => {
  const calibration = calibrate(skewed(1));
  const bands = createAdaptiveBands(calibration);
  const random = seededRandom(5);
  const data = skewed(4);
  let missed = 0;
  // The world has become half as wide again as it was.
  for (let row = 0; row < ROWS; row++) {
    const at = (index: number) => data.answers[(row * QUANTILES.length + index) * STEPS] as number;
    const actual = at(MEDIAN) + 1.5 * ((data.actuals[row * STEPS] as number) - at(MEDIAN)) + random() * 1e-6;
    const edge = (index: number) => at(MEDIAN) + (bands.factors[index] as number) * (at(index) - at(MEDIAN));
    const isMissed = actual < edge(LOW) || actual > edge(HIGH);
    if (row >= ROWS / 2 && isMissed) missed += 1;
    bands.observe(0, isMissed ? 1 : 0, 1);
    bands.observe(1, 0, 1);
  }
  expect(missed / (ROWS / 2)).toBeGreaterThan(0.07);
  expect(missed / (ROWS / 2)).toBeLessThan(0.13);
  expect(bands.factors[LOW]).toBeGreaterThan(calibration.factors[LOW] as number);
  expect(bands.factors[QUANTILES.length + HIGH]).toBeLessThan(calibration.factors[QUANTILES.length + HIGH] as number);
  expect(bands.alphas.every((alpha) => alpha >= -0.5 && alpha <= 0.5)).toBe(true);
});
