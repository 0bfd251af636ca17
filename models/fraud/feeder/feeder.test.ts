import { expect, test } from 'vitest';
import { seededRandom } from '../../../agent/domain/clock.js';
import type { FleetPower } from '../fleet-power.js';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { balanceFeeder, type FeederBalance, fitBalance, gateOf } from './balance.js';
import { combine } from './combination.js';
import { GATE_OPENS, type Suspicion, suspectDay } from './suspicion.js';
import { createUsualLoads } from './usual-load.js';

const FROM = 60;
const CLEAN = { from: 0, to: FROM - 1 };
const fleet = createSmallFleet({ meters: 10, feeders: 1, days: 75 });
const DAY = 70;

function judge(of: FleetPower, day = DAY) {
  const balance = balanceFeeder(of, '0', fitBalance(of, '0', CLEAN));
  const gates = Array.from({ length: of.days }, (_, at) => gateOf(balance, at));
  return { balance, gates, suspicions: suspectDay(of, { balance, gates, day, usualLoads: createUsualLoads(of) }) };
}

const best = (suspicions: readonly Suspicion[] | undefined, of: keyof Suspicion): number =>
  (suspicions ?? []).reduce((top, one, index, all) => (one[of] > (all[top]?.[of] ?? 0) ? index : top), 0);

const total = (balance: FeederBalance, day: number) => balance.dayLossW[day] as number;

test('an honest feeder keeps its gate closed, and nobody is suspected', () => {
  const { gates, suspicions } = judge(fleet);
  expect(gates.slice(FROM).every((gate) => gate < GATE_OPENS)).toBe(true);
  expect(suspicions).toBeUndefined();
});

const THEFTS: readonly (readonly [string, (watts: number, slot: number) => number])[] = [
  ['a share', (watts) => watts * 0.5],
  ['a cap', (watts) => Math.min(watts, 250)],
  ['hours of nothing', (watts, slot) => (slot % 48 >= 14 && slot % 48 < 40 ? 0 : watts)],
];

test.each(THEFTS)('%s opens the gate from its first day on, and the loss names the thief', (_, report) => {
  const { gates, suspicions } = judge(withReport(fleet, 4, { fromDay: FROM + 5, report }));
  expect(gates.findIndex((gate) => gate >= GATE_OPENS)).toBe(FROM + 5);
  expect(best(suspicions, 'share')).toBe(4);
  expect(best(suspicions, 'alone')).toBe(4);
  expect(suspicions?.[4]?.share).toBeGreaterThan(0.8);
});

test('who stole a random part is named by what is usual', () => {
  const random = seededRandom(8);
  const { suspicions } = judge(withReport(fleet, 6, { fromDay: FROM + 5, report: (watts) => watts * random() * 0.6 }));
  expect(best(suspicions, 'usual')).toBe(6);
});

test('two thieves on one feeder are both named', () => {
  const one = withReport(fleet, 2, { fromDay: FROM + 3, report: (watts) => watts * 0.4 });
  const { suspicions } = judge(withReport(one, 7, { fromDay: FROM + 3, report: (watts) => watts * 0.5 }));
  const named = (suspicions ?? []).map(({ share }, member) => ({ share, member })).sort((a, b) => b.share - a.share);
  expect(new Set(named.slice(0, 2).map(({ member }) => member))).toEqual(new Set([2, 7]));
});

test('a theft that has ended closes the gate', () => {
  const stolen = withReport(fleet, 4, {
    fromDay: FROM,
    report: (watts, slot) => (slot < (FROM + 6) * 48 ? watts * 0.4 : watts),
  });
  const { gates } = judge(stolen);
  expect(gates[FROM + 5]).toBeGreaterThan(GATE_OPENS);
  expect(gates.slice(FROM + 6).every((gate) => gate < GATE_OPENS)).toBe(true);
});

test('a small theft on a noisy feeder stands out in the long run, not on its first day', () => {
  const random = seededRandom(5);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const days = Array.from({ length: fleet.days }, () => 1 + 0.02 * gaussian());
  const noisy = {
    ...fleet,
    feeders: fleet.feeders.map(({ feeder, powerW }) => ({
      feeder,
      powerW: powerW.map((watts, slot) => watts * (days[Math.floor(slot / 48)] as number)),
    })),
  };
  const { gates, balance } = judge(withReport(noisy, 4, { fromDay: FROM, report: (watts) => watts * 0.6 }));
  expect(total(balance, FROM) / (balance.noiseW.get(1) as number)).toBeLessThan(GATE_OPENS);
  expect(Math.max(...gates.slice(FROM + 2, FROM + 14))).toBeGreaterThan(GATE_OPENS);
});

const silent = (powerW: Float32Array, from: number, to: number) => powerW.slice().fill(Number.NaN, from * 48, to * 48);
const withSilence = (meter: number, from: number, to: number): FleetPower => ({
  ...fleet,
  meters: fleet.meters.map((one, index) => (index === meter ? { ...one, powerW: silent(one.powerW, from, to) } : one)),
});

test('while a meter is missing the feeder abstains: its load is nobody’s theft', () => {
  const { gates, suspicions } = judge(withSilence(3, DAY - 2, DAY + 3));
  expect(gates.slice(DAY - 2, DAY + 3).every(Number.isNaN)).toBe(true);
  expect(suspicions).toBeUndefined();
  expect(gates.slice(FROM, DAY - 2).every((gate) => gate < GATE_OPENS)).toBe(true);
});

test('a feeder of which some meter is never reported abstains, for good', () => {
  const feeders = fleet.feeders.map((one) => ({ ...one, unreported: ['elsewhere'] }));
  const { gates, suspicions } = judge(withReport({ ...fleet, feeders }, 4, { fromDay: FROM, report: () => 0 }));
  expect(gates.every(Number.isNaN)).toBe(true);
  expect(suspicions).toBeUndefined();
});

test('a feeder without meters, one that never reported, and one that is dead accuse nobody', () => {
  const feeder = { feeder: '9', powerW: new Float32Array(75 * 48).fill(500) };
  const lonely = { ...fleet, feeders: [feeder, { feeder: '0', powerW: new Float32Array(75 * 48).fill(Number.NaN) }] };
  for (const name of ['9', '0']) {
    const balance = balanceFeeder(lonely, name, fitBalance(lonely, name, CLEAN));
    const gates = Array.from({ length: 75 }, (_, day) => gateOf(balance, day));
    expect(gates.every(Number.isNaN)).toBe(true);
    const asked = { balance, gates, day: DAY, usualLoads: createUsualLoads(lonely) };
    expect(suspectDay(lonely, asked)).toBeUndefined();
  }
  const dead = {
    ...fleet,
    meters: fleet.meters.map((meter) => ({ ...meter, powerW: new Float32Array(75 * 48) })),
    feeders: [{ feeder: '0', powerW: new Float32Array(75 * 48) }],
  };
  expect(judge(dead).suspicions).toBeUndefined();
});

test.each<[string, (watts: number, slot: number) => number]>([
  ['a feeder that is measured only later', (watts, slot) => (slot < 50 * 48 ? Number.NaN : watts * 1.04)],
  ['never measured while nobody stole', (watts, slot) => (slot < FROM * 48 ? Number.NaN : watts * 1.04)],
])('too few clean days to know the loss of %s: it abstains', (_, measured) => {
  const feeders = fleet.feeders.map((one) => ({ ...one, powerW: one.powerW.map(measured) }));
  const { gates, suspicions } = judge({ ...fleet, feeders });
  expect(gates.every(Number.isNaN)).toBe(true);
  expect(suspicions).toBeUndefined();
});

test('what explains less than nothing of a loss is no proof of honesty', () => {
  const nothing = { share: 0, alone: 0.2, usual: 0.5 };
  const of = (share: number) => combine({ raw: 0.4, gate: 6, suspicion: { ...nothing, share } });
  expect(of(-0.2)).toBe(of(0));
  expect(of(1.4)).toBe(of(1));
  expect(of(0.5)).toBeGreaterThan(of(0));
});

test('suspicion, evidence and an open gate each raise the odds; without a balance its own evidence decides', () => {
  const nothing = { share: 0, alone: 0, usual: 0 };
  const odds = [
    combine({ raw: 0.1, gate: 0 }),
    combine({ raw: 0.6, gate: 0 }),
    combine({ raw: 0.6, gate: 8, suspicion: nothing }),
    combine({ raw: 0.6, gate: 8, suspicion: { share: 0.9, alone: 0.8, usual: 0.9 } }),
  ];
  expect(odds).toEqual([...odds].sort((a, b) => a - b));
  expect(odds[3]).toBeGreaterThan(0.9);
  expect(odds[0]).toBeLessThan(0.01);
  const alone = [0.1, 0.4, 0.5, 0.6, 0.7, 0.9].map((raw) => combine({ raw }));
  expect(alone.every((one, index) => one > (alone[index - 1] ?? 0))).toBe(true);
  expect(alone[0]).toBeLessThan(0.01);
  expect(alone[3]).toBeGreaterThan(0.8);
  expect(combine({ raw: 0.6, gate: Number.NaN })).toBe(combine({ raw: 0.6 }));
});

test('of more meters than half-hours of a day the loss still names the thief', () => {
  const large = createSmallFleet({ meters: 60, feeders: 1, days: 75 });
  const { suspicions } = judge(withReport(large, 4, { fromDay: DAY, report: (watts) => watts * 0.1 }));
  expect(suspicions).toHaveLength(60);
  expect(suspicions?.flatMap((one) => Object.values(one)).every(Number.isFinite)).toBe(true);
  expect(best(suspicions, 'usual')).toBe(4);
});

test('a member that reports nothing but zeros takes no blame for what another steals', () => {
  const dead = fleet.meters.map((one, index) => (index === 2 ? { ...one, powerW: new Float32Array(75 * 48) } : one));
  const feeders = fleet.feeders.map(({ feeder, powerW }) => ({
    feeder,
    powerW: powerW.map((watts, slot) => watts - (fleet.meters[2]?.powerW[slot] as number)),
  }));
  const report = (watts: number) => watts * 0.4;
  const { suspicions } = judge(withReport({ ...fleet, meters: dead, feeders }, 4, { fromDay: FROM + 5, report }));
  expect(best(suspicions, 'share')).toBe(4);
  expect(suspicions?.[2]?.share).toBeLessThan(0.05);
});
