import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import { mirrored, type ReportsAndLoss } from './mirrored-loss.js';

const SLOTS = 336;
const slots = Array.from({ length: SLOTS }, (_, at) => at);

/** Four honest meters, and a fifth whose figures are drawn at random while it draws something else. */
function feeder(seed = 3): ReportsAndLoss {
  const random = seededRandom(seed);
  const column = (most: number) => Float64Array.from(slots, () => 50 + most * random());
  const reportedW = [column(900), column(700), column(500), column(800), column(300)];
  const drawn = column(900);
  const lossW = drawn.map((watts, at) => watts - (reportedW[4]?.[at] as number));
  return { reportedW, lossW, slots, recent: 144 };
}

const listed = (of: ReportsAndLoss): number[] => [...mirrored(of)];

test('the meter whose steps return in the loss stands out, in whatever order and unit', () => {
  const { reportedW, lossW, recent } = feeder();
  const found = listed({ reportedW, lossW, slots, recent });
  expect(found[4]).toBeGreaterThan(0.95);
  expect(found.slice(0, 4).every((value) => value < 0.2)).toBe(true);
  const turned = listed({ reportedW: reportedW.toReversed(), lossW, slots, recent }).toReversed();
  const larger = listed({
    reportedW: reportedW.map((watts) => watts.map((value) => value * 40)),
    lossW: lossW.map((value) => value * 40),
    slots,
    recent,
  });
  for (const [meter, value] of found.entries()) {
    expect(turned[meter]).toBeCloseTo(value, 8);
    expect(larger[meter]).toBeCloseTo(value, 8);
  }
});

test('log odds are those of one regression on one meter', () => {
  const reported = Float64Array.of(0, 4, 1, 7, 2, 5);
  const lossW = Float64Array.of(9, 6, 8, 2, 7, 4);
  const steps = [1, 2, 3, 4, 5].map((at) =>
    [-1, 1].map((sign) => sign * ((reported[at] ?? 0) - (reported[at - 1] ?? 0))),
  );
  const pairs = steps.map(([down], at) => [down ?? 0, (lossW[at + 1] ?? 0) - (lossW[at] ?? 0)] as const);
  const sum = (of: (pair: readonly [number, number]) => number) => pairs.reduce((all, pair) => all + of(pair), 0);
  const square = sum(([x]) => x * x);
  const slope = sum(([x, y]) => x * y) / square;
  const variance = sum(([x, y]) => (y - slope * x) ** 2) / 4;
  const [likely] = mirrored({ reportedW: [reported], lossW, slots: slots.slice(0, 6), recent: 6 });
  expect(likely).toBeCloseTo(1 / (1 + Math.exp((-((slope - 0.5) / variance) * square) / 2)), 4);
});

test('slots that do not follow each other make no step', () => {
  const { reportedW, lossW, recent } = feeder();
  const apart = slots.map((slot) => 2 * slot);
  expect(listed({ reportedW, lossW, slots: apart, recent })).toEqual([0, 0, 0, 0, 0]);
});

test('too few steps for so many meters, or none, say nothing', () => {
  const { reportedW, lossW } = feeder();
  const few = (count: number, recent: number) =>
    listed({
      reportedW: reportedW.map((watts) => watts.subarray(0, count)),
      lossW: lossW.subarray(0, count),
      slots: slots.slice(0, count),
      recent,
    });
  const silent = [0, 0, 0, 0, 0];
  expect(few(0, 0)).toEqual(silent);
  expect(few(11, 11)).toEqual(silent);
  expect(few(336, 11)).toEqual(silent);
  expect(few(12, 12).every((value) => value > 0)).toBe(true);
  expect(listed({ reportedW: [], lossW, slots, recent: 144 })).toEqual([]);
});

test('meters that report zeros, a constant or the same as another are finite and blameless', () => {
  const { reportedW, lossW, recent } = feeder();
  const same = reportedW[0] as Float64Array;
  const odd = [new Float64Array(SLOTS), new Float64Array(SLOTS).fill(250), same, ...reportedW];
  const found = listed({ reportedW: odd, lossW, slots, recent });
  expect(found.every(Number.isFinite)).toBe(true);
  expect(found.slice(0, 7).every((value) => value < 0.2)).toBe(true);
  expect(found[7]).toBeGreaterThan(0.95);
  expect(listed({ reportedW: odd, lossW: new Float64Array(SLOTS), slots, recent })).toEqual(odd.map(() => 0));
});

test('what was seen over the whole span is not believed when it is not seen lately', () => {
  const { reportedW, lossW, recent } = feeder();
  const random = seededRandom(8);
  const over = lossW.map((watts, at) => (at < SLOTS - recent ? watts : 400 * random()));
  expect(mirrored({ reportedW, lossW, slots, recent })[4]).toBeGreaterThan(0.95);
  expect(mirrored({ reportedW, lossW: over, slots, recent })[4]).toBeLessThan(0.05);
});
