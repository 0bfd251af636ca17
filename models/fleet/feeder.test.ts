import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { drawMeterError, drawTechnicalLoss, METER_CLASSES, sumOf, withTechnicalLoss } from './feeder.js';

test('the lines take 2 to 6 % of the usual energy, and more than in proportion of a larger load', () => {
  // By day three times the power of the night.
  const usual = Float32Array.from({ length: 24 }, (_, hour) => (hour < 12 ? 25_000 : 75_000));
  const load = { meanW: 50_000, meanSquareW2: (25_000 ** 2 + 75_000 ** 2) / 2 };
  for (let seed = 0; seed < 200; seed++) {
    const loss = drawTechnicalLoss(load, seededRandom(seed));
    const lost = (delivered: Float32Array) => mean(withTechnicalLoss(delivered, loss)) - mean(delivered);
    expect(lost(usual) / 50_000).toBeGreaterThan(0.02);
    expect(lost(usual) / 50_000).toBeLessThan(0.06);
    expect(lost(usual.map((watts) => 2 * watts))).toBeGreaterThan(2 * lost(usual));
    const [idle = 0, much = 0] = withTechnicalLoss(Float32Array.of(0, 75_000), loss);
    expect(idle).toBeCloseTo(loss.constantW, -1);
    expect(much - loss.constantW - loss.perW * much ** 2).toBeCloseTo(75_000, -1);
  }
});

test('no loss is no loss, and beyond what lines carry no less passes the feeder than arrives', () => {
  expect([...withTechnicalLoss(Float32Array.of(5), { constantW: 0, perW: 0 })]).toEqual([5]);
  const [below = 0, above = 0, far = 0] = withTechnicalLoss(Float32Array.of(249_999, 250_001, 1e9), {
    constantW: 0,
    perW: 1e-6,
  });
  expect(above - below).toBeLessThan(5_000);
  expect(above).toBeGreaterThan(below);
  expect(far).toBeGreaterThan(1e9);
  expect(far).toBeLessThan(1.001e9);
});

const mean = (values: Float32Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;

test('sums', () => {
  expect([...sumOf([Float32Array.of(1, 2), Float32Array.of(10, Number.NaN)], 2)]).toEqual([11, Number.NaN]);
});

test('a meter errs within its class', () => {
  const errors = Array.from({ length: 500 }, (_, seed) => drawMeterError('1', seededRandom(seed)) - 1);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(METER_CLASSES['1']);
  expect(new Set(errors).size).toBeGreaterThan(400);
});
