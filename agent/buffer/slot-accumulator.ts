import { SLOT_MS } from '../domain/slot.js';
import type { StoredReading, StoredSlot } from '../domain/stored.js';

export interface RegisterPoint {
  /** From the start of the slot. */
  readonly atMs: number;
  readonly dwh: number;
}

/** What is known of one slot of one meter. The order in which readings are added makes no difference. */
export interface Accumulator {
  /** Ascending and distinct, from the start of the slot. */
  readonly times: number[];
  powerCount: number;
  powerSumDw: number;
  /** Sum of the positive powers: energy is what came from the grid, as in the import register. */
  importSumDw: number;
  powerMinDw: number | null;
  powerMaxDw: number | null;
  firstRegister: RegisterPoint | null;
  lastRegister: RegisterPoint | null;
  minVoltageCv: number | null;
  maxVoltageCv: number | null;
}

/** How the slot before this one ended; only of the slot directly before. */
export interface Carried {
  /** Moment of its last reading, from the start of this slot: negative. */
  readonly lastMs: number;
  readonly registerDwh: number | null;
}

export type Measured = Pick<StoredReading, 'powerDw' | 'importDwh' | 'voltageCv'>;
export type SlotValues = Pick<
  StoredSlot,
  'energyMwh' | 'meanPowerDw' | 'minPowerDw' | 'maxPowerDw' | 'count' | 'coveragePm' | 'minVoltageCv' | 'maxVoltageCv'
>;

const MWH_PER_DWH = 100;
/** 0.1 W for five minutes, in mWh. */
const MWH_PER_SLOT_DW = SLOT_MS / 36_000;
/**
 * Beyond this mean power a step of the register is a glitch or another register, not energy: 2 MW, as in the range that
 * readings of power are held to by default; a meter that shows more power than that may also count more.
 */
const MAX_REGISTER_POWER_DW = 20_000_000;
const POWER_MARGIN = 2;
/** The centre keeps power and voltage in four bytes; what lies beyond is stored as the end of the range. */
const MAX_INT4 = 2_147_483_647;
/** A reading speaks for the time until the next one, if that is not much longer than the meter's usual interval. */
const INTERVALS_SPOKEN_FOR = 1.5;

export const emptyAccumulator = (): Accumulator => ({
  times: [],
  powerCount: 0,
  powerSumDw: 0,
  importSumDw: 0,
  powerMinDw: null,
  powerMaxDw: null,
  firstRegister: null,
  lastRegister: null,
  minVoltageCv: null,
  maxVoltageCv: null,
});

/** False when a reading of this moment is in the slot already: the first one stands. */
export function addReading(slot: Accumulator, atMs: number, { powerDw, importDwh, voltageCv }: Measured): boolean {
  if (!insertTime(slot.times, atMs)) return false;
  if (powerDw !== null) {
    slot.powerCount += 1;
    slot.powerSumDw += powerDw;
    slot.importSumDw += Math.max(0, powerDw);
    slot.powerMinDw = Math.min(powerDw, slot.powerMinDw ?? powerDw);
    slot.powerMaxDw = Math.max(powerDw, slot.powerMaxDw ?? powerDw);
  }
  if (importDwh !== null) {
    const point = { atMs, dwh: importDwh };
    if (slot.firstRegister === null || atMs < slot.firstRegister.atMs) slot.firstRegister = point;
    if (slot.lastRegister === null || atMs > slot.lastRegister.atMs) slot.lastRegister = point;
  }
  if (voltageCv !== null) {
    slot.minVoltageCv = Math.min(voltageCv, slot.minVoltageCv ?? voltageCv);
    slot.maxVoltageCv = Math.max(voltageCv, slot.maxVoltageCv ?? voltageCv);
  }
  return true;
}

function insertTime(times: number[], atMs: number): boolean {
  const last = times.at(-1);
  if (last === undefined || atMs > last) {
    times.push(atMs);
    return true;
  }
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  if (times[low] === atMs) return false;
  times.splice(low, 0, atMs);
  return true;
}

/** The slot's values follow from its readings and the end of the slot before, and from nothing else. */
export function valuesOf(slot: Accumulator, carried: Carried | null): SlotValues {
  const covered = coverageOf(slot.times, carried);
  const energy = energyOf(slot, carried, covered);
  const meanDw = slot.powerCount > 0 ? slot.powerSumDw / slot.powerCount : (energy?.meanDw ?? 0);
  return {
    energyMwh: Math.round(Math.min(energy?.mwh ?? 0, MAX_INT4 * MWH_PER_SLOT_DW)),
    meanPowerDw: int4(meanDw),
    minPowerDw: int4(slot.powerMinDw ?? meanDw),
    maxPowerDw: int4(slot.powerMaxDw ?? meanDw),
    count: slot.times.length,
    // Voltage alone says nothing of the load.
    coveragePm: energy === null ? 0 : Math.round(covered * 1_000),
    minVoltageCv: slot.minVoltageCv === null ? null : int4(slot.minVoltageCv),
    maxVoltageCv: slot.maxVoltageCv === null ? null : int4(slot.maxVoltageCv),
  };
}

const int4 = (value: number): number => Math.round(Math.max(-MAX_INT4, Math.min(MAX_INT4, value)));

/**
 * From the register where both ends are known: sums over slots are then exact. A register that fell was reset, and one
 * that rose by more than the meter can have passed tells nothing.
 */
function energyOf(
  slot: Accumulator,
  carried: Carried | null,
  covered: number,
): { readonly mwh: number; readonly meanDw: number } | null {
  const { firstRegister, lastRegister } = slot;
  const mostDw = Math.max(MAX_REGISTER_POWER_DW, POWER_MARGIN * (slot.powerMaxDw ?? 0));
  if (lastRegister !== null && carried !== null && carried.registerDwh !== null) {
    const mwh = (lastRegister.dwh - carried.registerDwh) * MWH_PER_DWH;
    const slots = Math.max(1, (lastRegister.atMs - carried.lastMs) / SLOT_MS);
    if (mwh >= 0 && mwh <= mostDw * MWH_PER_SLOT_DW * slots) return { mwh, meanDw: mwh / MWH_PER_SLOT_DW };
  }
  if (slot.powerCount > 0) {
    const meanDw = slot.importSumDw / slot.powerCount;
    return { mwh: meanDw * covered * MWH_PER_SLOT_DW, meanDw };
  }
  if (firstRegister !== null && lastRegister !== null && lastRegister.atMs > firstRegister.atMs) {
    const mwh = (lastRegister.dwh - firstRegister.dwh) * MWH_PER_DWH;
    const share = (lastRegister.atMs - firstRegister.atMs) / SLOT_MS;
    const meanDw = mwh / share / MWH_PER_SLOT_DW;
    if (mwh >= 0 && meanDw <= mostDw) return { mwh, meanDw };
  }
  return null;
}

/** Share of the slot that readings speak for, by the meter's own usual interval. */
function coverageOf(times: readonly number[], carried: Carried | null): number {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return 0;
  const inner = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const gaps = carried === null ? inner : [first - carried.lastMs, ...inner];
  // The upper quartile: a meter may send power and voltage as two messages a moment apart.
  const usual = [...gaps].sort((a, b) => a - b)[Math.ceil(0.75 * (gaps.length - 1))] ?? SLOT_MS;
  const longest = usual * INTERVALS_SPOKEN_FOR;
  const coveredMs = [first, ...inner, SLOT_MS - last].reduce((sum, gap) => sum + Math.min(gap, longest), 0);
  return coveredMs / SLOT_MS;
}

/** What the next slot needs to know of this one. */
export function carriedFrom(slot: Pick<Accumulator, 'times' | 'lastRegister'>): Carried | null {
  const last = slot.times.at(-1);
  if (last === undefined) return null;
  return { lastMs: last - SLOT_MS, registerDwh: slot.lastRegister?.dwh ?? null };
}
