import { expect, test } from 'vitest';
import { epochMs, type MeterId } from '../domain/brand.js';
import { createLatestMedians } from './latest-medians.js';

const MINUTE_MS = 60_000;
const SLOTS = 3;
const START = epochMs(1_704_067_200_000);
const after = (minutes: number) => epochMs(START + minutes * MINUTE_MS);
const named = (index: number) => `m-${index}` as MeterId;

test('what was said of a meter stays its own while others come', () => {
  const latest = createLatestMedians(SLOTS, MINUTE_MS);
  for (let meter = 0; meter < 500; meter++) {
    const { mediansW, from } = latest.issue(named(meter), after(meter % 7));
    for (let slot = 0; slot < SLOTS; slot++) mediansW[from + slot] = 10 * meter + slot;
  }
  for (let meter = 0; meter < 500; meter++) {
    const said = Array.from({ length: SLOTS + 2 }, (_, slot) => latest.at(named(meter), after((meter % 7) + slot - 1)));
    expect(said, `meter ${meter}`).toEqual([undefined, 10 * meter, 10 * meter + 1, 10 * meter + 2, undefined]);
  }
  expect(latest.at(named(500), START)).toBeUndefined();
});

test('a slot that the forecast left out has no median, nor has a moment between slots', () => {
  const latest = createLatestMedians(SLOTS, MINUTE_MS);
  const { mediansW, from } = latest.issue(named(0), START);
  mediansW.set([1, Number.NaN, 3], from);
  expect([after(0), after(0.5), after(1), after(2)].map((at) => latest.at(named(0), at))).toEqual([
    1,
    undefined,
    undefined,
    3,
  ]);
});
