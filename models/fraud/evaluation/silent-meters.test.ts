import { expect, test } from 'vitest';
import { balanceFeeder, fitBalance, gateOf } from '../feeder/balance.js';
import { disturb } from './disturbances.js';
import { SILENT_METERS, simulateBench } from './simulated-bench.js';

const SILENT_DAYS = 14;
const EXACT = { technicalLoss: 0, feederNoise: 0, dayNoise: 0, seed: 1 };

const { fleet: whole, testFromDay } = simulateBench(1);
const slots = whole.slotsPerDay;
const unknownDays = (powerW: Float32Array): number[] =>
  Array.from({ length: whole.days }, (_, day) => day).filter((day) =>
    powerW.subarray(day * slots, (day + 1) * slots).every(Number.isNaN),
  );
const before = whole.meters.map(({ powerW }) => unknownDays(powerW));

test('meters of the simulated street fall silent in the test alone, and on those days their feeder says nothing', () => {
  const fleet = disturb(whole, { ...EXACT, missingMeters: SILENT_METERS }, testFromDay);
  const silent = fleet.meters.flatMap(({ feeder, powerW }, meter) => {
    const days = unknownDays(powerW).filter((day) => !before[meter]?.includes(day));
    return days.length === 0 || feeder === undefined ? [] : [{ feeder, days }];
  });
  expect(silent.length).toBeGreaterThan(1);
  for (const { feeder, days } of silent) {
    expect(days.length).toBeGreaterThanOrEqual(SILENT_DAYS);
    expect(Math.min(...days)).toBeGreaterThanOrEqual(testFromDay);
    const gateWith = (of: typeof fleet) => {
      const balance = balanceFeeder(of, feeder, fitBalance(of, feeder, { from: 0, to: testFromDay - 1 }));
      return (day: number) => gateOf(balance, day);
    };
    const [gate, heard] = [gateWith(fleet), gateWith(whole)];
    expect(days.every((day) => Number.isNaN(gate(day)))).toBe(true);
    // It is the silence that stops it: with every meter heard the same days have a balance.
    expect(days.some((day) => Number.isFinite(heard(day)))).toBe(true);
  }
});
