import { centreAndSpread } from '../features/robust.js';
import { type FleetPower, isComplete } from '../fleet-power.js';
import { fitTechnicalLoss, NO_LOSS, type TechnicalLoss, technicalLossW } from './technical-loss.js';

/** What a feeder lost beyond its technical loss, slot by slot. */
export interface FeederBalance {
  readonly feeder: string;
  /** Places of its customers in the fleet. */
  readonly members: readonly number[];
  /** NaN where the feeder or one of its customers did not report, or never does: nothing is said about such slots. */
  readonly lossW: Float64Array;
  /** Mean over the known slots of each day; NaN on days of which too little is known. */
  readonly dayLossW: Float64Array;
  /** Standard deviation of clean days, and of the means of several clean days in a row, by their number; NaN where unknown. */
  readonly noiseW: ReadonlyMap<number, number>;
}

/** Of a day, to say anything about it. */
const LEAST_KNOWN = 0.5;
/** Over how many days losses are added up: a small theft stands out of a noisy feeder only in the long run. */
export const GATE_DAYS = [1, 3, 7, 14] as const;
const LATELY = 4;
const STILL_LOST = 1 / 3;
/** Log of how much likelier today's loss must be without theft than with the mean one. */
const REFUTED = 6;
/** Two of each day of the week. */
const FEWEST_CLEAN_DAYS = 14;
/** Meters round their readings, and no line is as regular as a parabola. */
const NOISE_FLOOR_SHARE = 0.001;

export interface BalanceModel {
  readonly loss: TechnicalLoss;
  /** See FeederBalance. */
  readonly noiseW: ReadonlyMap<number, number>;
}

const UNKNOWN: BalanceModel = { loss: NO_LOSS, noiseW: new Map(GATE_DAYS.map((count) => [count, Number.NaN])) };

export function membersOf(fleet: FleetPower, feeder: string): number[] {
  return fleet.meters.flatMap((meter, index) => (meter.feeder === feeder ? [index] : []));
}

/**
 * Fits loss and noise of one feeder on days that are known, or assumed, to be clean. Where they are too few, technical
 * loss or a customer who is not registered would look like theft: the balance then abstains.
 */
export function fitBalance(fleet: FleetPower, feeder: string, clean: { from: number; to: number }): BalanceModel {
  const { feederW, reportedW } = sums(fleet, feeder);
  const { slotsPerDay } = fleet;
  const known = feederW.map((_, slot) => slot).filter((slot) => isClean(slot) && isKnown(slot));
  function isClean(slot: number): boolean {
    return slot >= clean.from * slotsPerDay && slot < (clean.to + 1) * slotsPerDay;
  }
  function isKnown(slot: number): boolean {
    return !Number.isNaN((feederW[slot] as number) + (reportedW[slot] as number));
  }
  const pick = (values: Float64Array) => known.map((slot) => values[slot] as number);
  const loss = fitTechnicalLoss({ feederW: pick(feederW), reportedW: pick(reportedW) });
  const days = dayMeans(lossOf(loss, { feederW, reportedW }), slotsPerDay).subarray(clean.from, clean.to + 1);
  if (days.filter(Number.isFinite).length < FEWEST_CLEAN_DAYS) return UNKNOWN;
  const feederDays = dayMeans(feederW, slotsPerDay)
    .subarray(clean.from, clean.to + 1)
    .filter(Number.isFinite);
  const meanW = feederDays.reduce((sum, watts) => sum + watts, 0) / Math.max(feederDays.length, 1);
  const floorW = NOISE_FLOOR_SHARE * meanW;
  const noiseW = new Map<number, number>();
  let single = floorW;
  for (const count of GATE_DAYS) {
    const means = runningMeans(days, count).filter(Number.isFinite);
    const spread = means.length < 2 * count ? 0 : centreAndSpread(means).spread;
    if (count === 1) single = Math.max(spread, floorW);
    // A few weeks hold few means of two of them: they may look steadier than they are.
    noiseW.set(count, Math.max(spread, single / Math.sqrt(count), floorW / 2));
  }
  return { loss, noiseW };
}

export function balanceFeeder(fleet: FleetPower, feeder: string, model: BalanceModel): FeederBalance {
  const lossW = lossOf(model.loss, sums(fleet, feeder));
  return {
    feeder,
    members: membersOf(fleet, feeder),
    lossW,
    dayLossW: dayMeans(lossW, fleet.slotsPerDay),
    noiseW: model.noiseW,
  };
}

/** How far the mean loss of the last days stands out of the noise, at most over GATE_DAYS; NaN when today or the noise is unknown. */
export function gateOf({ dayLossW, noiseW }: FeederBalance, day: number): number {
  const today = dayLossW[day] as number;
  const dayNoise = noiseW.get(1) as number;
  if (Number.isNaN(today + dayNoise)) return Number.NaN;
  let highest = Number.NEGATIVE_INFINITY;
  for (const count of GATE_DAYS) {
    const mean = runningMean(dayLossW, day, count);
    const lately = runningMean(dayLossW, day, Math.ceil(count / LATELY));
    // A theft that has ended must not keep the gate open: where a day speaks for itself, today is asked too.
    if (lately < STILL_LOST * mean || mean * (today - mean / 2) < -REFUTED * dayNoise ** 2) continue;
    if (!Number.isNaN(mean)) highest = Math.max(highest, mean / (noiseW.get(count) as number));
  }
  return highest;
}

function sums(fleet: FleetPower, feeder: string): { feederW: Float64Array; reportedW: Float64Array } {
  const own = fleet.feeders.find((one) => one.feeder === feeder);
  const measured = own?.powerW;
  const members = membersOf(fleet, feeder);
  const slots = fleet.days * fleet.slotsPerDay;
  const isWhole = own !== undefined && isComplete(own) && members.length > 0;
  const reportedW = new Float64Array(slots).fill(isWhole ? 0 : Number.NaN);
  for (const member of members) {
    const powerW = fleet.meters[member]?.powerW;
    for (let slot = 0; slot < slots; slot++)
      reportedW[slot] = (reportedW[slot] as number) + (powerW?.[slot] ?? Number.NaN);
  }
  return { feederW: Float64Array.from({ length: slots }, (_, slot) => measured?.[slot] ?? Number.NaN), reportedW };
}

function lossOf(loss: TechnicalLoss, { feederW, reportedW }: { feederW: Float64Array; reportedW: Float64Array }) {
  return feederW.map((watts, slot) => watts - (reportedW[slot] as number) - technicalLossW(loss, watts));
}

function dayMeans(values: Float64Array, slotsPerDay: number): Float64Array {
  return Float64Array.from({ length: Math.floor(values.length / slotsPerDay) }, (_, day) => {
    const known = values.subarray(day * slotsPerDay, (day + 1) * slotsPerDay).filter(Number.isFinite);
    if (known.length < LEAST_KNOWN * slotsPerDay) return Number.NaN;
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Of the last `count` days up to `day`, at least half of them known. */
function runningMean(days: Float64Array, day: number, count: number): number {
  let sum = 0;
  let known = 0;
  for (let past = day; past > day - count && past >= 0; past--) {
    const value = days[past] as number;
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
  }
  return known * 2 < count ? Number.NaN : sum / known;
}

const runningMeans = (days: Float64Array, count: number): Float64Array =>
  days.map((_, day) => (day < count - 1 ? Number.NaN : runningMean(days, day, count)));
