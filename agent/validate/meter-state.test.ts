import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs } from '../domain/brand.js';
import { createShelves, type MeterState, NOTHING_KNOWN, putState, stateOn } from './meter-state.js';

const number = fc.double({ noNaN: true });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const point = fc.record({ wh: number, atMs: number });
const register = fc.record({
  wh: number,
  atMs: number,
  other: maybe(fc.record({ wh: number, atMs: number, readings: fc.nat(), grown: fc.boolean() })),
  trail: maybe(fc.record({ newer: point, older: maybe(point) })),
});
const state: fc.Arbitrary<MeterState> = fc.record({
  lastMs: maybe(number.map(epochMs)),
  imported: maybe(register),
  exported: maybe(register),
  units: maybe(
    fc.record({ startMs: number, startWh: number, energyWh: number, powerW: number, atMs: number, factor: number }),
  ),
  power: maybe(fc.record({ isReal: fc.boolean(), atMs: number, fellFromReal: fc.boolean() })),
});

test('nothing is known of a new shelf', () => {
  expect(stateOn(createShelves()())).toEqual(NOTHING_KNOWN);
});

test('what was put on a shelf last is on it, whatever is put on the others', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const METERS = 600;
  const shelves = Array.from({ length: METERS }, createShelves());
  const known = new Map<number, MeterState>();
  fc.assert(
    fc.property(fc.nat(METERS - 1), state, fc.nat(METERS - 1), (meter, next, other) => {
      known.set(meter, next);
      const shelf = shelves[meter];
      const beside = shelves[other];
      if (shelf === undefined || beside === undefined) throw new Error('a shelf is missing');
      putState(shelf, next);
      expect(stateOn(shelf)).toEqual(next);
      expect(stateOn(beside)).toEqual(known.get(other) ?? NOTHING_KNOWN);
    }),
    { seed, numRuns: 2_000 },
  );
});
