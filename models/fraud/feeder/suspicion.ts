import type { FleetMeter, FleetPower } from '../fleet-power.js';
import type { FeederBalance } from './balance.js';
import { logLoad } from './load-density.js';
import { attributeLoss, type Suspect, signaturesOf } from './signatures.js';
import type { UsualLoad, UsualLoads } from './usual-load.js';

/** What a feeder's loss says about one of its customers. */
export interface Suspicion {
  /** Of the loss, what this meter's signatures explain beside those of all others. */
  readonly share: number;
  /** How well this meter alone explains it. */
  readonly alone: number;
  /** How much more usual its load would be with the loss added to it, among all customers; they add up to 1. */
  readonly usual: number;
}

/** The mean loss stands out by so many standard deviations: the loss of that day is somebody's. */
export const GATE_OPENS = 3;
/** Lossy days of so many past ones are looked at together, and of so many to follow a change. */
const SPANS = [7, 3, 1] as const;
const REFERENCE_DAYS = 42;
/** Differences of log densities per slot are small; a chosen sharpness, from injected attacks. */
const SHARPNESS = 8;

export interface FeederDay {
  readonly balance: FeederBalance;
  /** See gateOf, of every day up to this one. */
  readonly gates: readonly number[];
  readonly day: number;
  readonly usualLoads: UsualLoads;
}

/** Of each member of the feeder, in their order; undefined while the gate is closed or too little is known. */
export function suspectDay(fleet: FleetPower, { balance, gates, day, usualLoads }: FeederDay): Suspicion[] | undefined {
  const isLossy = (past: number) => (gates[past] as number) >= GATE_OPENS;
  if (!isLossy(day)) return undefined;
  const free = lossFreeDays(gates, day);
  const usual = balance.members.map((member) => usualLoads(member, free));
  const spans = SPANS.map((length) => lossySlots(fleet, { balance, isLossy, day, length }));
  if (spans.some((slots) => slots.length === 0)) return undefined;
  const slots = spans[0] as readonly number[];
  const lossW = Float64Array.from(slots, (slot) => balance.lossW[slot] as number);
  const suspects = balance.members.map((member, index) =>
    suspectOf(fleet, { member, usual: usual[index] as UsualLoad, slots }),
  );
  const explained = spans.map(({ length }) =>
    attributeLoss(
      suspects.map((suspect) => signaturesOf(lastOf(suspect, length))),
      lossW.subarray(-length),
    ),
  );
  const gains = balance.members.map((member, index) =>
    gainOf(fleet, { member, usual: usual[index] as UsualLoad, balance, slots }),
  );
  const likely = softmax(gains, SHARPNESS);
  return balance.members.map((_, index) => ({
    share: mean(explained.map(({ shares }) => shares[index] as number)),
    alone: mean(explained.map(({ alone }) => Math.max(alone[index] as number, 0))),
    usual: likely[index] as number,
  }));
}

function lossFreeDays(gates: readonly number[], day: number): number[] {
  const free: number[] = [];
  for (let past = day - 1; past >= 0 && free.length < REFERENCE_DAYS; past--) {
    if ((gates[past] as number) < GATE_OPENS) free.push(past);
  }
  return free;
}

interface Span {
  readonly balance: FeederBalance;
  readonly isLossy: (day: number) => boolean;
  readonly day: number;
  readonly length: number;
}

function lossySlots({ slotsPerDay }: FleetPower, { balance, isLossy, day, length }: Span): number[] {
  const slots: number[] = [];
  for (let past = Math.max(day - length + 1, 0); past <= day; past++) {
    if (!isLossy(past)) continue;
    for (let slot = past * slotsPerDay; slot < (past + 1) * slotsPerDay; slot++)
      if (!Number.isNaN(balance.lossW[slot])) slots.push(slot);
  }
  return slots;
}

interface OfMember {
  readonly member: number;
  readonly usual: UsualLoad;
  readonly slots: readonly number[];
}

function suspectOf({ meters, slotsPerDay }: FleetPower, { member, usual, slots }: OfMember): Suspect {
  const { powerW } = meters[member] as FleetMeter;
  const reportedW = new Float64Array(slots.length);
  const expectedW = new Float64Array(slots.length);
  for (let at = 0; at < slots.length; at++) {
    const slot = slots[at] as number;
    reportedW[at] = powerW[slot] as number;
    expectedW[at] = usual.profileW[slot % slotsPerDay] as number;
  }
  return { reportedW, expectedW };
}

const lastOf = ({ reportedW, expectedW }: Suspect, slots: number): Suspect => ({
  reportedW: reportedW.subarray(-slots),
  expectedW: expectedW.subarray(-slots),
});

/** By how much the log density of a slot rises, on average, when the whole loss is added to what this meter reports. */
function gainOf(fleet: FleetPower, { member, usual, slots, balance }: OfMember & { balance: FeederBalance }): number {
  const { powerW } = fleet.meters[member] as FleetMeter;
  const { density } = usual;
  const loadsAt = (slot: number): Loads => {
    const watts = powerW[slot] ?? Number.NaN;
    return { slot, reported: logLoad(watts), whole: logLoad(watts + (balance.lossW[slot] ?? Number.NaN)) };
  };
  let sum = 0;
  let before: Loads | undefined;
  for (const slot of slots) {
    if (before?.slot !== slot - 1) before = loadsAt(slot - 1);
    const now = loadsAt(slot);
    const ofDay = slot % fleet.slotsPerDay;
    sum += density.level(now.whole, ofDay) - density.level(now.reported, ofDay);
    if (!Number.isNaN(before.whole))
      sum += density.step(now.whole, before.whole) - density.step(now.reported, before.reported);
    before = now;
  }
  return sum / slots.length;
}

/** As logLoad gives them; NaN where the slot before is unknown. */
interface Loads {
  readonly slot: number;
  readonly reported: number;
  readonly whole: number;
}

function softmax(values: readonly number[], sharpness: number): number[] {
  const highest = Math.max(...values);
  const weights = values.map((value) => Math.exp((value - highest) * sharpness));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
