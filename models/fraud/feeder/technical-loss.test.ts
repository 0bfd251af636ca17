import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { fitTechnicalLoss, NO_LOSS, technicalLossW } from './technical-loss.js';

const random = seededRandom(9);
const trueW = Float64Array.from({ length: 3_000 }, (_, slot) => 4_000 + 3_000 * Math.sin(slot / 8) + 2_000 * random());
const lossW = (watts: number): number => 60 + 0.008 * watts + 2e-6 * watts ** 2;
const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

test('it finds the loss of a feeder without noise, to the watt', () => {
  const feederW = trueW.map((watts) => watts + lossW(watts));
  const fitted = fitTechnicalLoss({ feederW, reportedW: trueW });
  for (const [slot, watts] of feederW.entries())
    expect(Math.abs(technicalLossW(fitted, watts) - lossW(trueW[slot] as number))).toBeLessThan(1);
});

test('noise of the feeder’s meter is not taken for a loss that grows with the load', () => {
  const feederW = trueW.map((watts) => (watts + lossW(watts)) * (1 + 0.05 * gaussian()));
  const fitted = fitTechnicalLoss({ feederW, reportedW: trueW });
  for (const watts of [2_000, 5_000, 8_000])
    expect(Math.abs(technicalLossW(fitted, watts + lossW(watts)) - lossW(watts))).toBeLessThan(0.01 * watts);
});

test('too few slots and a dead feeder lose nothing; one that never changes loses a constant', () => {
  expect(fitTechnicalLoss({ feederW: trueW.subarray(0, 50), reportedW: trueW.subarray(0, 50) })).toEqual(NO_LOSS);
  const dead = new Float64Array(500);
  expect(fitTechnicalLoss({ feederW: dead, reportedW: dead })).toEqual(NO_LOSS);
  const constant = dead.map(() => 700);
  expect(fitTechnicalLoss({ feederW: constant, reportedW: constant.map(() => 650) })).toEqual({
    ...NO_LOSS,
    constant: 50,
  });
});
