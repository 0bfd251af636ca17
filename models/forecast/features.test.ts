import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { countPresent, type SlotWindow } from '../window/slot-windows.js';
import { decode, encode } from './features.js';
import { HORIZONS, QUANTILES } from './horizons.js';

const OUTPUTS = HORIZONS.length * QUANTILES.length;

function windowOf(values: ArrayLike<number>): SlotWindow {
  const filled = Float32Array.from(values);
  return { endMs: epochMs(1_704_067_200_000), values: filled, present: countPresent(filled) };
}

const constant = (watts: number) => windowOf(new Array(WINDOW_SLOTS).fill(watts));
const watts = fc.oneof(fc.double({ min: -5_000, max: 20_000, noNaN: true }), fc.constant(Number.NaN));
const anyWindow = fc.array(watts, { minLength: WINDOW_SLOTS, maxLength: WINDOW_SLOTS }).map(windowOf);

test('decoding the normalised window gives its watts back', () => {
  fc.assert(
    fc.property(anyWindow, (window) => {
      const encoded = encode([window]);
      const answers = new Float32Array(OUTPUTS);
      answers.set(encoded.window.subarray(0, OUTPUTS));
      const row = decode(encoded, answers)[0];
      for (let slot = 0; slot < OUTPUTS; slot++) {
        const measured = window.values[slot] as number;
        if (!Number.isNaN(measured)) expect(row?.watts[slot]).toBeCloseTo(measured, 1);
      }
    }),
    { numRuns: 50 },
  );
});

test('twice the load is the same picture at twice the scale', () => {
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => 400 + 300 * Math.sin(slot / 20) + (slot % 7) * 11);
  const [one, many] = [encode([windowOf(load)]), encode([windowOf(load.map((value) => value * 64))])];
  expect(many.scaleW[0]).toBeCloseTo((one.scaleW[0] ?? 0) * 64, 3);
  for (const [slot, value] of one.window.entries()) expect(many.window[slot]).toBeCloseTo(value, 4);
});

test('no window gives anything but finite numbers', () => {
  fc.assert(
    fc.property(anyWindow, (window) => {
      const encoded = encode([window]);
      const { watts: forecast } = decode(encoded, new Float32Array(OUTPUTS).fill(3))[0] ?? { watts: [Number.NaN] };
      for (const numbers of [encoded.window, encoded.mask, encoded.calendar, encoded.scaleW, forecast]) {
        expect(numbers.every(Number.isFinite)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test('constant, zero, empty and infinite windows stay finite and do not blow up', () => {
  const wild = windowOf(new Array(WINDOW_SLOTS).fill(Number.POSITIVE_INFINITY));
  for (const window of [constant(0), constant(230), constant(3e38), constant(Number.NaN), wild]) {
    const encoded = encode([window]);
    expect(encoded.window.every((value) => Math.abs(value) < 1e-3)).toBe(true);
    expect(encoded.scaleW[0]).toBeGreaterThan(0);
    const row = decode(encoded, new Float32Array(OUTPUTS).fill(Number.NaN))[0];
    expect(row?.watts.every(Number.isFinite)).toBe(true);
  }
});

test('a short gap is bridged, a long one is filled with the centre, and the mask says so', () => {
  const load = Array.from({ length: WINDOW_SLOTS }, (_, slot) => (slot < 144 ? 100 : 500));
  const short = load.map((value, slot) => (slot >= 141 && slot < 147 ? Number.NaN : value));
  const bridged = encode([windowOf(short)]);
  const inGap = Array.from(bridged.window.slice(140, 148));
  expect(inGap).toEqual([...inGap].sort((a, b) => a - b));
  expect(inGap[3]).toBeGreaterThan(inGap[0] ?? 0);
  expect(Array.from(bridged.mask.slice(139, 149))).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
  const long = load.map((value, slot) => (slot >= 100 && slot < 130 ? Number.NaN : value));
  expect(
    encode([windowOf(long)])
      .window.slice(100, 130)
      .every((value) => value === 0),
  ).toBe(true);
});

test('a meter that never exported is not forecast to export', () => {
  const low = new Float32Array(OUTPUTS).fill(-50);
  expect(decode(encode([constant(20)]), low)[0]?.watts.every((value) => value === 0)).toBe(true);
  expect(decode(encode([constant(-20)]), low)[0]?.watts.every((value) => value < 0)).toBe(true);
});
