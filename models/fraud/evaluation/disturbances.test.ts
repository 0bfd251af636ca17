import { expect, test } from 'vitest';
import type { FleetPower } from '../fleet-power.js';
import { createSmallFleet } from '../generated-fleet.js';
import { type Disturbances, disturb } from './disturbances.js';

const EXACT: Disturbances = { technicalLoss: 0, feederNoise: 0, dayNoise: 0, missingMeters: 0, seed: 1 };
const fleet = createSmallFleet({ meters: 12, feeders: 2, days: 60 });
const TEST_FROM = 20;
const changed = (how: Partial<Disturbances>, of: FleetPower = fleet) => disturb(of, { ...EXACT, ...how }, TEST_FROM);

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: Float64Array) => {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
};
/** By how much each slot of the first feeder is more than before, as a share. */
const excess = (after: FleetPower): Float64Array => {
  const before = fleet.feeders[0]?.powerW ?? new Float32Array();
  return Float64Array.from(after.feeders[0]?.powerW ?? [], (watts, slot) => watts / (before[slot] as number) - 1);
};

test('without a disturbance nothing changes, and meters report what they did under any of the feeders’', () => {
  expect(changed({}).feeders).toEqual(fleet.feeders);
  expect(changed({ technicalLoss: 0.05, feederNoise: 0.02, dayNoise: 0.01 }).meters).toEqual(fleet.meters);
});

test('the technical loss is the share that is asked for, and grows faster than the load', () => {
  const { powerW = new Float32Array() } = fleet.feeders[0] ?? {};
  const { powerW: measured = new Float32Array() } = changed({ technicalLoss: 0.05 }).feeders[0] ?? {};
  expect(mean(Float64Array.from(measured)) / mean(Float64Array.from(powerW))).toBeCloseTo(1.05, 4);
  const slots = [...powerW.keys()].sort((a, b) => (powerW[a] as number) - (powerW[b] as number));
  const lossAt = (share: number) => {
    const slot = slots[Math.floor(share * (slots.length - 1))] as number;
    return (measured[slot] as number) - (powerW[slot] as number);
  };
  const loadAt = (share: number) => powerW[slots[Math.floor(share * (slots.length - 1))] as number] as number;
  const slope = (low: number, high: number) => (lossAt(high) - lossAt(low)) / (loadAt(high) - loadAt(low));
  expect(lossAt(0)).toBeGreaterThan(0.2 * 0.05 * mean(Float64Array.from(powerW)));
  expect(slope(0.9, 1)).toBeGreaterThan(1.5 * slope(0, 0.5));
});

test('the noise of a feeder is anew in each slot, of the spread that is asked for', () => {
  const errors = excess(changed({ feederNoise: 0.02 }));
  expect(mean(errors)).toBeCloseTo(0, 2);
  expect(deviation(errors)).toBeGreaterThan(0.018);
  expect(deviation(errors)).toBeLessThan(0.022);
  const days = Float64Array.from({ length: fleet.days }, (_, day) => mean(errors.subarray(day * 48, (day + 1) * 48)));
  expect(deviation(days)).toBeLessThan(0.006);
});

test('the noise of a day is the same in all of its slots, and another on the next', () => {
  const errors = excess(changed({ dayNoise: 0.02 }));
  const days = Array.from({ length: fleet.days }, (_, day) => errors.subarray(day * 48, (day + 1) * 48));
  for (const day of days) expect(deviation(day)).toBeLessThan(1e-6);
  const means = Float64Array.from(days, mean);
  expect(deviation(means)).toBeGreaterThan(0.014);
  expect(deviation(means)).toBeLessThan(0.026);
});

test('the same seed disturbs in the same way, another in another', () => {
  expect(changed({ feederNoise: 0.02 })).toEqual(changed({ feederNoise: 0.02 }));
  expect(changed({ feederNoise: 0.02, seed: 2 })).not.toEqual(changed({ feederNoise: 0.02 }));
});

test('as many meters fall silent as are asked for, for two weeks each, in the test; more than there are do not', () => {
  for (const missingMeters of [1, 7, 12]) {
    const { meters } = changed({ missingMeters });
    const silent = meters.filter(({ powerW }) => powerW.some(Number.isNaN));
    expect(silent).toHaveLength(missingMeters);
    for (const { powerW } of silent) {
      expect(powerW.findIndex(Number.isNaN)).toBeGreaterThanOrEqual(TEST_FROM * 48);
      expect(powerW.filter(Number.isNaN)).toHaveLength(14 * 48);
    }
  }
  expect(() => changed({ missingMeters: 13 })).toThrow('13 cannot fall silent, there are 12');
});
