import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { seededRandom } from '../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { simulateHomes } from '../simulated-homes.js';
import { CALENDAR_SIZE } from '../window/calendar.js';
import { pastSlots } from '../window/slot-windows.js';
import { centreAndScale } from '../window/window-scale.js';
import { zoneOffset } from '../window/zone.js';
import { allocateRows, createDecoder } from './decode.js';
import { createEncoder, type Encoded } from './features.js';
import type { History } from './history.js';
import { HORIZONS, horizonsFor, MEDIAN, QUANTILES, SLOT_WIDTHS, slotsPerDay } from './horizons.js';
import { createSource, trainingHistory } from './samples.js';

const OUTPUTS = HORIZONS.length * QUANTILES.length;
const END = epochMs(1_704_067_200_000);
const encoder = createEncoder({ slotMinutes: 5, horizons: HORIZONS });
const decoder = createDecoder(HORIZONS.length);
const ones = new Float32Array(OUTPUTS).fill(1);

function historyOf(values: ArrayLike<number>, more: Omit<History, 'window'> = {}): History {
  const filled = Float32Array.from(values);
  return { window: { endMs: END, values: filled }, ...more };
}

const encode = (history: History): Encoded => encoder.encode([history]);
const decode = (encoded: Encoded, answers: Float32Array, factors = ones) => {
  const [row = { watts: new Float32Array() }] = allocateRows(1, OUTPUTS);
  decoder.decode(encoded, { answers, factors }, [row]);
  return row.watts;
};
/** Seven times the same day. */
const daysOf = (day: Float32Array) => Float32Array.from({ length: PAST }, (_, slot) => day[slot % day.length] ?? 0);
const constant = (watts: number) => historyOf(new Array(WINDOW_SLOTS).fill(watts));
const inputsOf = ({ window, measured, seasons, spread, analogs, context }: Encoded) => [
  window,
  measured,
  seasons,
  spread,
  analogs,
  context,
];

const watts = fc.oneof(
  fc.double({ min: -5_000, max: 20_000, noNaN: true }),
  fc.constant(Number.NaN),
  fc.constant(Number.POSITIVE_INFINITY),
);
const some = (length: number) => fc.array(watts, { minLength: length, maxLength: length });
const slots = some(WINDOW_SLOTS);
const PAST = pastSlots(WINDOW_SLOTS);
const anyHistory = fc
  .record({ values: slots, past: fc.option(some(PAST)), usual: fc.option(slots), spread: fc.option(slots) })
  .map(({ values, past, usual, spread }) =>
    historyOf(values, {
      ...(past === null ? {} : { past: Float32Array.from(past) }),
      ...(usual === null ? {} : { profileMedian: Float32Array.from(usual) }),
      ...(spread === null ? {} : { profileSpread: Float32Array.from(spread) }),
    }),
  );

test('decoding the normalised window gives its watts back', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const encoded = encode(history);
      const medians = new Float32Array(OUTPUTS).fill(0);
      for (let step = 0; step < HORIZONS.length; step++) medians.fill(encoded.window[step] as number, step, step + 1);
      // Quantile by quantile, all of them at the median.
      for (let quantile = 1; quantile < QUANTILES.length; quantile++) {
        medians.copyWithin(quantile * HORIZONS.length, 0, HORIZONS.length);
      }
      const row = decode(encoded, medians);
      for (let step = 0; step < HORIZONS.length; step++) {
        const measured = history.window.values[step] as number;
        if (Number.isFinite(measured)) expect(row[step * QUANTILES.length + 3]).toBeCloseTo(measured, 1);
      }
    }),
    { numRuns: 50 },
  );
});

test('twice the load is the same picture at twice the scale', () => {
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => 400 + 300 * Math.sin(slot / 20) + (slot % 7) * 11);
  const scaled = (factor: number) => {
    const values = load.map((value) => value * factor);
    const shifted = Float32Array.from(values, (value) => value * 1.1);
    return encode(
      historyOf(values, {
        past: daysOf(shifted),
        profileMedian: shifted,
        profileSpread: Float32Array.from(values),
      }),
    );
  };
  const [one, many] = [scaled(1), scaled(64)];
  expect(many.scaleW[0]).toBeCloseTo((one.scaleW[0] ?? 0) * 64, 3);
  for (const [index, inputs] of inputsOf(one).entries()) {
    for (const [slot, value] of inputs.entries()) expect(inputsOf(many)[index]?.[slot]).toBeCloseTo(value, 4);
  }
});

test('a load times a power of two is the same picture to the last bit, gaps included', () => {
  const load = fc.oneof(
    { weight: 9, arbitrary: fc.double({ min: 500, max: 20_000, noNaN: true }) },
    fc.constant(Number.NaN),
  );
  const loads = fc.array(load, { minLength: WINDOW_SLOTS - 2, maxLength: WINDOW_SLOTS - 2 });
  fc.assert(
    fc.property(loads, fc.integer({ min: 1, max: 8 }), (values, exponent) => {
      // Far enough from constant for the scale to be above its floor.
      const one = Float32Array.from([500, 20_000, ...values]);
      const many = one.map((value) => value * 2 ** exponent);
      const scaled = (all: Float32Array) =>
        encode(historyOf(all, { past: daysOf(all), profileMedian: all, profileSpread: all }));
      expect(inputsOf(scaled(many))).toEqual(inputsOf(scaled(one)));
    }),
    { numRuns: 50 },
  );
});

test('no history gives anything but finite numbers', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const encoded = encode(history);
      for (const numbers of [...inputsOf(encoded), encoded.scaleW]) expect(numbers.every(Number.isFinite)).toBe(true);
      for (const answer of [3, Number.NaN]) {
        expect(decode(encoded, new Float32Array(OUTPUTS).fill(answer)).every(Number.isFinite)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test('constant, zero, empty and infinite windows stay finite and do not blow up', () => {
  const wild = historyOf(new Array(WINDOW_SLOTS).fill(Number.POSITIVE_INFINITY));
  for (const history of [constant(0), constant(230), constant(3e38), constant(Number.NaN), wild]) {
    const encoded = encode(history);
    expect(encoded.window.every((value) => Math.abs(value) < 1e-3)).toBe(true);
    expect(encoded.scaleW[0]).toBeGreaterThan(0);
    expect(decode(encoded, new Float32Array(OUTPUTS).fill(Number.NaN)).every(Number.isFinite)).toBe(true);
  }
});

test('a short gap is bridged, a long one is filled with the centre, and the shares say so', () => {
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => (slot < 144 ? 100 : 500));
  const short = load.map((value, slot) => (slot >= 141 && slot < 147 ? Number.NaN : value));
  const bridged = encode(historyOf(short));
  const inGap = Array.from(bridged.window.slice(140, 148));
  expect(inGap).toEqual([...inGap].sort((a, b) => a - b));
  expect(inGap[3]).toBeGreaterThan(inGap[0] ?? 0);
  expect(Array.from(bridged.measured.slice(10, 14))).toEqual([1, 0.75, 0.75, 1]);
  const long = load.map((value, slot) => (slot >= 100 && slot < 130 ? Number.NaN : value));
  expect(
    encode(historyOf(long))
      .window.slice(100, 130)
      .every((value) => value === 0),
  ).toBe(true);
});

test('a meter that never exported is not forecast to export', () => {
  const low = new Float32Array(OUTPUTS).fill(-50);
  expect(decode(encode(constant(20)), low).every((value) => value === 0)).toBe(true);
  expect(decode(encode(constant(-20)), low).every((value) => value < 0)).toBe(true);
});

test('no answer of a network makes watts that are not finite', () => {
  const wild = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 0, 1);
  fc.assert(
    fc.property(fc.array(wild, { minLength: OUTPUTS, maxLength: OUTPUTS }), (answers) => {
      expect(decode(encode(constant(300)), Float32Array.from(answers)).every(Number.isFinite)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('answers are decoded as they are said to be, of any number of steps and rows', () => {
  const random = seededRandom(4);
  for (const steps of [1, 2, 5, 36]) {
    const width = steps * QUANTILES.length;
    const rows = 70;
    const numbers = (length: number, make: () => number) => Float32Array.from({ length }, make);
    const answers = numbers(rows * width, () => (random() < 0.02 ? Number.NaN : random() * 4 - 2));
    const factors = numbers(width, () => random() + 0.5);
    const encoded = encoder.encode(Array.from({ length: rows }, (_, row) => constant(row - 5)));
    const room = allocateRows(rows, width);
    createDecoder(steps).decode(encoded, { answers, factors }, room);
    for (const [row, { watts }] of room.entries()) {
      const lowest = encoded.neverNegative[row] === 1 ? 0 : -3e38;
      for (let step = 0; step < steps; step++) {
        const answer = (quantile: number) => answers[row * width + quantile * steps + step] ?? Number.NaN;
        const median = Number.isFinite(answer(MEDIAN)) ? answer(MEDIAN) : 0;
        for (const outwards of [1, -1]) {
          let distance = 0;
          for (let quantile = MEDIAN; quantile >= 0 && quantile < QUANTILES.length; quantile += outwards) {
            const at = step * QUANTILES.length + quantile;
            const wanted = (answer(quantile) - median) * (factors[at] ?? 0);
            if (wanted * outwards > distance * outwards) distance = wanted;
            const expected = (encoded.centreW[row] ?? 0) + (encoded.scaleW[row] ?? 0) * (median + distance);
            expect(watts[at]).toBe(Math.fround(Math.max(expected, lowest)));
          }
        }
      }
    }
  }
});

test('what is missing of a profile is left out, at the end of its day too', () => {
  const profile = Float32Array.from({ length: WINDOW_SLOTS }, (_, slot) => slot);
  profile[0] = Number.NaN;
  profile.fill(Number.NaN, 100, 124);
  // Twelve slots before midnight are five of this day and seven of the next one.
  const history = {
    window: { endMs: epochMs(END + 7 * 300_000), values: new Float32Array(WINDOW_SLOTS).fill(50) },
    profileMedian: profile,
    profileSpread: profile,
  };
  const { seasons, centreW, scaleW, context } = encode(history);
  const usual = (hour: number) =>
    (seasons[3 * HORIZONS.length + 12 + hour] ?? 0) * (scaleW[0] ?? 1) + (centreW[0] ?? 0);
  expect(usual(23)).toBeCloseTo((283 + 284 + 285 + 286 + 287 + 1 + 2 + 3 + 4 + 5 + 6) / 11, 3);
  expect(usual(0)).toBeCloseTo(12.5, 3);
  // Slots 103 to 114 are all missing; of 91 to 102 and 115 to 126 some are known.
  expect(usual(8)).toBeCloseTo(50, 3);
  expect(usual(7)).toBeCloseTo((91 + 92 + 93 + 94 + 95 + 96 + 97 + 98 + 99) / 9, 3);
  expect(context[CALENDAR_SIZE + 2]).toBeCloseTo(35 / 36, 5);
});

test('level and scale are those of what is finite', () => {
  fc.assert(
    fc.property(fc.array(watts, { maxLength: WINDOW_SLOTS }), (values) => {
      const finite = [...Float32Array.from(values)].filter(Number.isFinite);
      const { centre, scale, min, present } = centreAndScale(Float32Array.from(values));
      expect(present).toBe(finite.length);
      const mean = finite.reduce((sum, value) => sum + value, 0) / Math.max(finite.length, 1);
      expect(centre).toBeCloseTo(mean, 6);
      expect(min).toBe(finite.length === 0 ? 0 : Math.min(...finite));
      const deviation = finite.reduce((sum, value) => sum + Math.abs(value - mean), 0) / Math.max(finite.length, 1);
      expect(scale).toBeCloseTo(Math.max(deviation, Math.abs(mean) * 0.02, 10), 6);
    }),
  );
});

test('quantiles do not cross, whatever the network and the factors say', () => {
  const numbers = (length: number, from: number) =>
    fc.array(fc.double({ min: from, max: 4, noNaN: true }), { minLength: length, maxLength: length });
  fc.assert(
    fc.property(numbers(OUTPUTS, -4), numbers(OUTPUTS, 0.2), (answers, factors) => {
      const row = decode(encode(constant(300)), Float32Array.from(answers), Float32Array.from(factors));
      for (let at = 0; at < OUTPUTS; at += QUANTILES.length) {
        const step = Array.from(row.subarray(at, at + QUANTILES.length));
        expect(step).toEqual([...step].sort((a, b) => a - b));
      }
    }),
    { numRuns: 50 },
  );
});

test('what is not known of the weeks before is taken from the window, and the context says so', () => {
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => slot);
  const steps = HORIZONS.length;
  const bare = encode(historyOf(load));
  expect(bare.seasons.slice(2 * steps, 3 * steps)).toEqual(bare.seasons.slice(0, steps));
  expect(Array.from(bare.context.slice(10, 12))).toEqual([0, 0]);
  const past = new Float32Array(PAST).fill(500);
  const usual = new Float32Array(WINDOW_SLOTS).fill(100);
  const known = encode(historyOf(load, { past, profileMedian: usual, profileSpread: usual }));
  const [centre, scale] = [known.centreW[0] ?? 0, known.scaleW[0] ?? 1];
  expect(known.seasons[2 * steps]).toBeCloseTo((500 - centre) / scale, 4);
  expect(known.seasons[3 * steps]).toBeCloseTo((100 - centre) / scale, 4);
  expect(known.spread[0]).toBeCloseTo(100 / scale, 4);
  expect(Array.from(known.context.slice(10, 12))).toEqual([1, 1]);
});

test.each(SLOT_WIDTHS)('seasons stand where the coming slots are, at slots of %i minutes', (slotMinutes) => {
  const perDay = slotsPerDay(slotMinutes);
  const horizons = horizonsFor(slotMinutes);
  const endMs = epochMs(END + 7 * slotMinutes * 60_000);
  const values = Float32Array.from({ length: WINDOW_SLOTS }, (_, slot) => (slot * 37) % 101);
  const profileMedian = Float32Array.from({ length: perDay }, (_, slot) => slot);
  const history = {
    window: { endMs, values },
    profileMedian,
    profileSpread: profileMedian,
  };
  const { seasons, centreW, scaleW } = createEncoder({ slotMinutes, horizons }).encode([history]);
  const back = (value: number | undefined) => (value ?? Number.NaN) * (scaleW[0] ?? 1) + (centreW[0] ?? 0);
  for (const step of [0, 3, horizons.length - 1]) {
    const { offset, slots } = horizons[step] ?? { offset: 0, slots: 1 };
    const mean = (read: (slot: number) => number) =>
      Array.from({ length: slots }, (_, slot) => read(offset + slot)).reduce((sum, value) => sum + value, 0) / slots;
    expect(back(seasons[step])).toBeCloseTo(
      mean((slot) => values[WINDOW_SLOTS - perDay + slot] ?? 0),
      2,
    );
    expect(back(seasons[3 * horizons.length + step])).toBeCloseTo(
      mean((slot) => (7 + slot) % perDay),
      2,
    );
  }
});

test('a meter is encoded the same, to the last bit, whoever stands beside it', () => {
  fc.assert(
    fc.property(fc.array(anyHistory, { minLength: 1, maxLength: 9 }), (histories) => {
      const together = inputsOf(encoder.encode(histories));
      for (const [row, history] of histories.entries()) {
        for (const [index, alone] of inputsOf(encode(history)).entries()) {
          expect(together[index]?.subarray(row * alone.length, (row + 1) * alone.length)).toEqual(alone);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('each series that is trained on has the calendar of its own place', () => {
  const startMs = epochMs(Date.UTC(2007, 4, 1));
  const [simulated] = simulateHomes({ homes: 1, days: 4, seed: 1, startMs, slotMinutes: 5 });
  if (simulated === undefined) throw new Error('no household');
  const { place: _, ...measured } = simulated;
  const paris = { utcOffsetMs: zoneOffset('Europe/Paris'), country: 'FR' };
  const shape = { slotMinutes: 5, horizons: HORIZONS };
  const random = seededRandom(1);
  // The same moment, seen in turn from Paris and from where the simulator is.
  const origin = WINDOW_SLOTS + 12;
  const histories = [measured, simulated, measured].map((series) =>
    trainingHistory({ source: createSource(series, shape), origin }, random),
  );
  const calendarOf = (row: number, { context }: Encoded) => {
    const width = context.length / histories.length;
    return context.slice(row * width, row * width + CALENDAR_SIZE);
  };
  const mixed = createEncoder(shape, paris).encode(histories);
  const nowhere = createEncoder(shape).encode(histories);
  expect(calendarOf(1, mixed)).toEqual(calendarOf(1, nowhere));
  expect(calendarOf(0, mixed)).not.toEqual(calendarOf(0, nowhere));
  expect(calendarOf(2, mixed)).toEqual(calendarOf(0, mixed));
});

test('memory that is used again answers like new memory', () => {
  const buffers = encoder.allocate(2);
  encoder.encodeInto(
    buffers,
    [constant(1_000), historyOf(new Array(WINDOW_SLOTS).fill(9), { weather: { lastDayC: 30, nextDayC: 31 } })],
    0,
  );
  const holes = historyOf(Array.from({ length: WINDOW_SLOTS }, (_, slot) => (slot < 60 ? Number.NaN : slot)));
  expect(encoder.encodeInto(buffers, [constant(1), holes], 1)).toBe(1);
  const fresh = encode(holes);
  expect(buffers.window.slice(0, WINDOW_SLOTS)).toEqual(fresh.window);
  expect(buffers.context.slice(0, fresh.context.length)).toEqual(fresh.context);
});

test('a past of any length ends where the window begins', () => {
  const random = seededRandom(3);
  const past = Float32Array.from({ length: PAST }, () => 200 + 300 * random());
  const load = Array.from({ length: WINDOW_SLOTS }, () => 200 + 300 * random());
  const known = 3 * WINDOW_SLOTS;
  const missing = past.map((watts, slot) => (slot < PAST - known ? Number.NaN : watts));
  const longer = Float32Array.from([1, 2, 3, ...past]);
  const inputs = (history: Float32Array) => inputsOf(encode(historyOf(load, { past: history })));
  expect(inputs(past.slice(-known))).toEqual(inputs(missing));
  expect(inputs(longer)).toEqual(inputs(past));
});
