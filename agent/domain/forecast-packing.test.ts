import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ForecastStep } from './forecast.js';
import { packSteps } from './forecast-packing.fixture.js';
import { createForecastPacker, unpackForecast } from './forecast-packing.js';

const runOf = (offsetSlots: number, slots: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ offsetSlots: offsetSlots + n * slots, slots }));
const NEXT_HOUR = runOf(0, 1, 12);
const NEXT_DAY = runOf(0, 12, 24);

const watts = fc.double({ min: -2_000_000, max: 2_000_000, noNaN: true });
/** Small meters as well as feeders: bands from nothing to wider than the load. */
const band = fc
  .tuple(fc.double({ min: -2, max: 6.5, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([exponent, share]) => share * 10 ** exponent);
const valuesFor = (spans: readonly { offsetSlots: number; slots: number }[], scale: number) =>
  fc.tuple(...spans.map(() => fc.tuple(watts, band, band))).map((values) =>
    spans.map((span, index): ForecastStep => {
      const [medianW, below, above] = values[index] ?? [0, 0, 0];
      const median = medianW / scale;
      return { ...span, medianW: median, lowW: median - below / scale, highW: median + above / scale };
    }),
  );
const spans = fc.oneof(
  fc.constantFrom(NEXT_HOUR, [...NEXT_HOUR, ...NEXT_DAY], NEXT_DAY, []),
  fc.array(fc.record({ offsetSlots: fc.nat(400), slots: fc.integer({ min: 1, max: 48 }) }), { maxLength: 20 }),
);
const anySteps = fc.tuple(spans, fc.constantFrom(1, 100, 10_000)).chain(([list, scale]) => valuesFor(list, scale));

test('what comes back is within the error that is promised', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const back = unpackForecast(packSteps(steps));
      expect(back?.map(({ offsetSlots, slots }) => ({ offsetSlots, slots }))).toEqual(
        steps.map(({ offsetSlots, slots }) => ({ offsetSlots, slots })),
      );
      const largest = Math.max(0, ...steps.map((step) => Math.abs(step.medianW)));
      const widest = Math.max(0, ...steps.map((step) => Math.max(step.medianW - step.lowW, step.highW - step.medianW)));
      // The unit is the next power of two above what is needed.
      const unit = Math.max(0.1, (2 * largest) / 32_767, (2 * widest) / 65_535);
      steps.forEach((step, index) => {
        const found = back?.[index] ?? { medianW: Number.NaN, lowW: Number.NaN, highW: Number.NaN };
        expect(Math.abs(found.medianW - step.medianW)).toBeLessThanOrEqual(unit * 0.5001);
        const below = step.medianW - step.lowW;
        const above = step.highW - step.medianW;
        expect(Math.abs(found.medianW - found.lowW - below)).toBeLessThanOrEqual(Math.max(0.51 * unit, 0.023 * below));
        expect(Math.abs(found.highW - found.medianW - above)).toBeLessThanOrEqual(Math.max(0.51 * unit, 0.023 * above));
      });
    }),
    { numRuns: 500 },
  );
});

test('a width has the code that is nearest on the logarithmic scale', () => {
  const ratio = 65_535 ** (1 / 254);
  const packer = createForecastPacker([{ offsetSlots: 0, slots: 1 }]);
  const packed = new Uint8Array(packer?.bytes ?? 0);
  const units = fc.double({ min: Math.log(0.4), max: Math.log(65_000), noNaN: true }).map(Math.exp);
  const codeOf = (width: number) =>
    width < 0.5 ? 0 : Math.max(1, Math.floor(Math.log(width) / Math.log(ratio) + 1.5));
  const isOnEdge = (width: number) => codeOf(width * (1 - 1e-9)) !== codeOf(width * (1 + 1e-9));
  fc.assert(
    fc.property(units, units, (below, above) => {
      fc.pre(!isOnEdge(below) && !isOnEdge(above));
      packer?.pack(Float64Array.of(-below / 10, 0, above / 10), packed, 0);
      expect(Array.from(packed.slice(-2))).toEqual([codeOf(below), codeOf(above)]);
    }),
    { numRuns: 2_000 },
  );
});

test('a tick takes 60 bytes at most, the hourly outlook included', () => {
  const steps = (list: readonly { offsetSlots: number; slots: number }[]) =>
    list.map((span) => ({ ...span, lowW: -1e6, medianW: 1, highW: 1e6 }));
  const tick = packSteps(steps(NEXT_HOUR)).length;
  const hourly = packSteps(steps([...NEXT_HOUR, ...NEXT_DAY])).length;
  expect(tick).toBe(50);
  expect((11 * tick + hourly) / 12).toBeLessThanOrEqual(60);
});

test('quantiles that cross have no width', () => {
  const [step] = unpackForecast(packSteps([{ offsetSlots: 0, slots: 1, lowW: 9, medianW: 5, highW: 1 }])) ?? [];
  expect(step).toMatchObject({ lowW: 5, medianW: 5, highW: 5 });
});

test('values that are not finite cannot be packed, another version cannot be unpacked', () => {
  const span = { offsetSlots: 0, slots: 1 };
  const packer = createForecastPacker([span]);
  const room = new Uint8Array(packer?.bytes ?? 0);
  expect(packer?.pack(Float64Array.of(1, 2, 3), room, 0)).toBe(true);
  for (const bad of [
    Float64Array.of(Number.NaN, 2, 3),
    Float64Array.of(1, 2, Number.POSITIVE_INFINITY),
    Float64Array.of(Number.POSITIVE_INFINITY, 2, 3),
  ]) {
    expect(packer?.pack(bad, room, 0)).toBe(false);
  }
  for (const bad of [{ offsetSlots: -1 }, { slots: 70_000 }]) {
    expect(createForecastPacker([span, { ...span, ...bad }])).toBeUndefined();
  }
  const packed = packSteps([{ ...span, lowW: 0, medianW: 0, highW: 0 }]);
  packed[0] = 0x20;
  expect(unpackForecast(packed)).toBeUndefined();
  expect(unpackForecast(new Uint8Array())).toBeUndefined();
});
