import { expect, test } from 'vitest';
import { DAY_MS } from '../../agent/domain/slot.js';
import { ATTACK_KINDS } from '../../models/fleet/attacks.js';
import { createStreet, type Street } from '../../models/fleet/street.js';
import { STREET } from '../../models/fleet/traits.js';
import { createFleet } from './fleet.js';
import { countedW, DEED_KINDS, type DeedKind, planThefts, type Theft } from './thefts.js';

const FROM_MS = Date.UTC(2026, 2, 2);
const TO_MS = FROM_MS + 20 * DAY_MS;

const FLEET = {
  customers: 16,
  feeders: 1,
  seed: 6,
  fromMs: FROM_MS,
  stepMinutes: 30,
  equipment: { ...STREET, threePhases: 0.4 },
};

/** The plan, where there are enough customers for it. */
function planned(of: Street, plan: Parameters<typeof planThefts>[1]): readonly Theft[] {
  const thefts = planThefts(of, plan);
  if ('shortage' in thefts) throw new Error(thefts.shortage);
  return thefts;
}

function street(kinds: readonly DeedKind[], count = kinds.length) {
  const thefts = planned(createStreet(FLEET), { count, kinds, seed: 6, fromMs: FROM_MS, toMs: TO_MS });
  return { honest: createFleet(FLEET), fleet: createFleet({ ...FLEET, thefts }), thefts };
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
  const thefts = planned(of, { count: 40, kinds: ATTACK_KINDS, seed: 8, ...span });
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

test('a phase is reversed where there are several, and it is one of them', () => {
  const of = createStreet({ ...FLEET, customers: 60, equipment: STREET });
  const span = { seed: 6, fromMs: FROM_MS, toMs: TO_MS };
  const several = [...Array(60).keys()].filter((customer) => of.phasesOf(customer).length > 1);
  expect(several.length).toBeLessThan(20);
  const thefts = planned(of, { ...span, count: 50, kinds: DEED_KINDS.filter((kind) => kind !== 'swapped_meters') });
  const reversed = thefts.filter(({ deed }) => deed.kind === 'reversed_phase');
  expect(reversed.length).toBeGreaterThan(3);
  for (const { customer, deed } of reversed) {
    expect(several).toContain(customer);
    expect(deed.kind === 'reversed_phase' && of.phasesOf(customer).includes(deed.phaseShare)).toBe(true);
  }
  expect(new Set(thefts.map(({ customer }) => customer)).size).toBe(50);
  const tooMany = planThefts(of, { ...span, count: several.length + 1, kinds: ['reversed_phase'] });
  expect(tooMany).toEqual({ shortage: expect.stringMatching(/several phases: \d+ are wanted, and \d+ of the 60/) });
});

test('who changes meters needs a partner', () => {
  const of = createStreet({ ...FLEET, customers: 3 });
  const plan = { seed: 6, fromMs: FROM_MS, toMs: TO_MS, kinds: ['swapped_meters'] as const };
  expect(planThefts(of, { ...plan, count: 2 })).toEqual({
    shortage: '--thefts 2 need 4 customers, as each of swapped_meters takes two, and there are 3',
  });
  expect(planThefts(of, { ...plan, count: 1 })).toHaveLength(1);
});
