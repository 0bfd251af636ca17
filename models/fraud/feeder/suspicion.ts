import type { FleetPower } from '../fleet-power.js';
import type { FeederBalance } from './balance.js';
import { aloneExplains, attributeLoss, type Suspect, signaturesOf } from './signatures.js';
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
  const explained = spans.map((slots) => {
    const lossW = Float64Array.from(slots, (slot) => balance.lossW[slot] as number);
    const suspects = balance.members.map((member, index) =>
      signaturesOf(suspectOf(fleet, { member, usual: usual[index], slots })),
    );
    return { shares: attributeLoss(suspects, lossW), alone: suspects.map((suspect) => aloneExplains(suspect, lossW)) };
  });
  const gains = balance.members.map((member, index) =>
    gainOf(fleet, { member, usual: usual[index], balance, slots: spans[0] ?? [] }),
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
  readonly usual: UsualLoad | undefined;
  readonly slots: readonly number[];
}

function suspectOf(fleet: FleetPower, { member, usual, slots }: OfMember): Suspect {
  const powerW = fleet.meters[member]?.powerW;
  return {
    reportedW: Float64Array.from(slots, (slot) => powerW?.[slot] ?? 0),
    expectedW: Float64Array.from(slots, (slot) => usual?.profileW[slot % fleet.slotsPerDay] ?? 0),
  };
}

/** By how much the log density of a slot rises, on average, when the whole loss is added to what this meter reports. */
function gainOf(fleet: FleetPower, { member, usual, slots, balance }: OfMember & { balance: FeederBalance }): number {
  const powerW = fleet.meters[member]?.powerW;
  if (powerW === undefined || usual === undefined) return 0;
  const { density } = usual;
  let sum = 0;
  for (const slot of slots) {
    const reportedW = powerW[slot] as number;
    const wholeW = Math.max(reportedW + (balance.lossW[slot] as number), 0);
    const ofDay = slot % fleet.slotsPerDay;
    sum += density.level(wholeW, ofDay) - density.level(reportedW, ofDay);
    const beforeW = powerW[slot - 1] ?? Number.NaN;
    const lossBeforeW = balance.lossW[slot - 1] ?? Number.NaN;
    if (Number.isNaN(beforeW) || Number.isNaN(lossBeforeW)) continue;
    sum += density.step(wholeW, Math.max(beforeW + lossBeforeW, 0)) - density.step(reportedW, beforeW);
  }
  return sum / slots.length;
}

function softmax(values: readonly number[], sharpness: number): number[] {
  const highest = Math.max(...values);
  const weights = values.map((value) => Math.exp((value - highest) * sharpness));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
