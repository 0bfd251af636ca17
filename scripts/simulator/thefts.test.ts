import { expect, test } from 'vitest';
import { DAY_MS } from '../../agent/domain/slot.js';
import { ATTACK_KINDS } from '../../models/fleet/attacks.js';
import { createStreet } from '../../models/fleet/street.js';
import { STREET } from '../../models/fleet/traits.js';
import { createFleet } from './fleet.js';
import { countedW, DEED_KINDS, type DeedKind, planThefts, type Theft } from './thefts.js';

const FROM_MS = Date.UTC(2026, 2, 2);
const TO_MS = FROM_MS + 20 * DAY_MS;

function street(kinds: readonly DeedKind[], count = kinds.length) {
  let thefts: readonly Theft[] = [];
  const options = { customers: 16, feeders: 1, seed: 6, fromMs: FROM_MS, stepMinutes: 30 };
  const honest = createFleet(options);
  const fleet = createFleet({
    ...options,
    thefts: (of) => {
      thefts = planThefts(of, { count, kinds, seed: 6, fromMs: FROM_MS, toMs: TO_MS });
      return thefts;
    },
  });
  return { honest, fleet, thefts };
}

test('a few thieves cover all kinds, each another customer, after an honest part', () => {
  const { thefts } = street(DEED_KINDS);
  expect(thefts.map(({ deed }) => deed.kind)).toEqual(DEED_KINDS);
  expect(new Set(thefts.map(({ customer }) => customer)).size).toBe(thefts.length);
  for (const { fromMs } of thefts) expect(fromMs).toBeGreaterThanOrEqual(FROM_MS + 2 * DAY_MS);
});

test.each(DEED_KINDS)(
  '%s: honest before, less or other afterwards; what flows and the feeder stay as they are',
  (kind) => {
    const { honest, fleet, thefts } = street([kind]);
    const [theft] = thefts;
    if (theft === undefined) throw new Error('nobody steals');
    const [before, thief] = [honest[theft.customer], fleet[theft.customer]];
    if (before === undefined || thief === undefined) throw new Error('a customer');
    const early = theft.fromMs - 3_600_000;
    expect(thief.at(early)).toEqual(before.at(early));
    expect(thief.consumedWh(TO_MS)).toBe(before.consumedWh(TO_MS));
    expect(fleet.at(-1)?.at(TO_MS)).toEqual(honest.at(-1)?.at(TO_MS));
    const register = (meter: typeof thief) => meter.at(TO_MS).import_wh;
    if (kind === 'swapped_meters') expect(register(thief)).not.toBe(register(before));
    else if (kind !== 'mean_share') expect(register(thief)).toBeLessThan(register(before));
    expect(thief.shown(TO_MS - 1).conditions).toEqual(
      kind === 'tamper_flag' ? ['tamper'] : kind === 'reversed_phase' ? ['reversed'] : [],
    );
  },
);

test('a register that is set back loses what was set back, and nothing else', () => {
  const { honest, fleet, thefts } = street(['register_rollback']);
  const [theft] = thefts;
  if (theft?.deed.kind !== 'register_rollback') throw new Error('no rollback');
  const [before, thief] = [honest[theft.customer], fleet[theft.customer]];
  expect((before?.at(TO_MS).import_wh ?? 0) - (thief?.at(TO_MS).import_wh ?? 0)).toBeCloseTo(theft.deed.wh, 0);
  expect(thief?.countedWh(TO_MS)).toBe(before?.countedWh(TO_MS));
});

test('with panels on every roof no attack makes a meter count more or export what was not fed in', () => {
  const equipment = { ...STREET, solar: 1 };
  const options = { customers: 40, feeders: 1, seed: 8, stepMinutes: 30, equipment };
  const of = createStreet(options);
  const [first, days] = [Math.floor(Date.UTC(2026, 5, 1) / DAY_MS), 12];
  const span = { fromMs: first * DAY_MS, toMs: (first + days) * DAY_MS };
  const thefts = planThefts(of, { count: 40, kinds: ATTACK_KINDS, seed: 8, ...span });
  for (const theft of thefts) {
    const { deed } = theft;
    for (const level of [
      deed.kind === 'cap' ? deed.cap : 1,
      deed.kind === 'offset' ? deed.offset : 1,
      deed.kind === 'mean_share' ? deed.mean : 1,
    ])
      expect(level).toBeGreaterThan(0);
    for (let day = first; day < first + days; day++) {
      const truth = of.customerW(theft.customer, day);
      const counted = countedW(truth, theft, { seed: 8, day });
      const sum = (values: Float32Array, sign: 1 | -1) =>
        values.reduce((all, watts) => all + Math.max(sign * watts, 0), 0);
      expect(sum(counted, 1)).toBeLessThanOrEqual(sum(truth, 1) * (1 + 1e-6));
      expect(sum(counted, -1)).toBe(sum(truth, -1));
    }
  }
});
