import { expect, test } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { drawMeterError, drawTechnicalLoss, METER_CLASSES, sumOf, withTechnicalLoss } from './feeder.js';

test('the lines take 2 to 6 % at the usual load, and more than in proportion above it', () => {
  for (let seed = 0; seed < 200; seed++) {
    const loss = drawTechnicalLoss(50_000, seededRandom(seed));
    const [idle = 0, usual = 0, double = 0] = withTechnicalLoss(Float32Array.of(0, 50_000, 100_000), loss);
    expect(idle).toBeCloseTo(loss.constantW, -1);
    // The figure drawn is that of the power at the feeder; seen from the customers it is a little more.
    expect(usual / 50_000 - 1).toBeGreaterThan(0.0195);
    expect(usual / 50_000 - 1).toBeLessThan(0.07);
    expect(double - 100_000).toBeGreaterThan(2 * (usual - 50_000));
    const again = usual - loss.constantW - loss.perW * usual ** 2;
    expect(again).toBeCloseTo(50_000, -1);
  }
});

test('no loss is no loss, and a load beyond what lines carry stays finite', () => {
  expect([...withTechnicalLoss(Float32Array.of(5), { constantW: 0, perW: 0 })]).toEqual([5]);
  expect(withTechnicalLoss(Float32Array.of(1e9), { constantW: 0, perW: 1e-6 })[0]).toBeLessThan(1e9);
});

test('sums', () => {
  expect([...sumOf([Float32Array.of(1, 2), Float32Array.of(10, Number.NaN)], 2)]).toEqual([11, Number.NaN]);
});

test('a meter errs within its class', () => {
  const errors = Array.from({ length: 500 }, (_, seed) => drawMeterError('1', seededRandom(seed)) - 1);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(METER_CLASSES['1']);
  expect(new Set(errors).size).toBeGreaterThan(400);
});
