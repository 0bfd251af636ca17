import { flagBits } from '../domain/flags.js';
import type { StoredReading, StoredSlot } from '../domain/stored.js';
import { countOf, insertPoint, type RegisterPoints } from './register-points.js';
import { type Neighbour, registerEnergy } from './slot-energy.js';

/** What is known of one slot of one meter. The order in which readings are added makes no difference. */
export interface Accumulator {
  /** Ascending and distinct, from the start of the slot. */
  readonly times: number[];
  /** At some of the times. */
  readonly registers: RegisterPoints;
  powerCount: number;
  powerSumDw: number;
  /** Sum of the positive powers: energy is what came from the grid, as in the import register. */
  importSumDw: number;
  powerMinDw: number | null;
  powerMaxDw: number | null;
  minVoltageCv: number | null;
  maxVoltageCv: number | null;
  flags: number;
}

/** What a slot's values take from the readings around it; times from its start. */
export interface Around {
  readonly slotMs: number;
  /** Moment of the last reading of the slot directly before: negative. */
  readonly lastMs: number | null;
  readonly before: Neighbour | null;
  readonly after: Neighbour | null;
  /** Where the meter's register begins again at zero. */
  readonly registerMaxDwh: number | undefined;
}

export type Measured = Pick<StoredReading, 'powerDw' | 'importDwh' | 'voltageCv' | 'flags'>;
export type SlotValues = Pick<
  StoredSlot,
  | 'energyMwh'
  | 'meanPowerDw'
  | 'minPowerDw'
  | 'maxPowerDw'
  | 'count'
  | 'coveragePm'
  | 'minVoltageCv'
  | 'maxVoltageCv'
  | 'flags'
>;

export const MWH_PER_DWH = 100;
/** 0.1 W for a millisecond, in mWh. */
export const MWH_PER_DW_MS = 1 / 36_000;
/** The centre keeps power and voltage in four bytes; what lies beyond is stored as the end of the range. */
const MAX_INT4 = 2_147_483_647;
/** A reading speaks for the time until the next one, if that is not much longer than the meter's usual interval. */
const INTERVALS_SPOKEN_FOR = 1.5;
/** No gap is so short that it would matter to whom in it the energy is given. */
const LEAST_GAP_MS = 60_000;

const BEGINS_ANEW = flagBits(['register_reset']);
export const ESTIMATED = flagBits(['estimated']);

export const emptyAccumulator = (): Accumulator => ({
  times: [],
  registers: [],
  powerCount: 0,
  powerSumDw: 0,
  importSumDw: 0,
  powerMinDw: null,
  powerMaxDw: null,
  minVoltageCv: null,
  maxVoltageCv: null,
  flags: 0,
});

/** False when a reading of this moment is in the slot already: the first one stands. */
export function addReading(slot: Accumulator, atMs: number, measured: Measured): boolean {
  const { powerDw, importDwh, voltageCv, flags } = measured;
  const place = placeOf(slot.times, atMs);
  if (slot.times[place] === atMs) return false;
  if (place === slot.times.length) slot.times.push(atMs);
  else slot.times.splice(place, 0, atMs);
  slot.flags |= flags;
  if (powerDw !== null) {
    slot.powerCount += 1;
    slot.powerSumDw += powerDw;
    slot.importSumDw += Math.max(0, powerDw);
    slot.powerMinDw = Math.min(powerDw, slot.powerMinDw ?? powerDw);
    slot.powerMaxDw = Math.max(powerDw, slot.powerMaxDw ?? powerDw);
  }
  if (importDwh !== null) {
    insertPoint(slot.registers, { atMs, dwh: importDwh, anew: (flags & BEGINS_ANEW) !== 0, raised: false });
  }
  if (voltageCv !== null) {
    slot.minVoltageCv = Math.min(voltageCv, slot.minVoltageCv ?? voltageCv);
    slot.maxVoltageCv = Math.max(voltageCv, slot.maxVoltageCv ?? voltageCv);
  }
  return true;
}

/** Where `atMs` stands or would stand; at the end, nearly always. */
function placeOf(times: readonly number[], atMs: number): number {
  const last = times.at(-1);
  if (last === undefined || atMs > last) return times.length;
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const time = times[middle];
    if (time !== undefined && time < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The slot's values follow from its readings and what stands around it, and from nothing else. */
export function valuesOf(slot: Accumulator, around: Around): SlotValues {
  const { slotMs, lastMs, before, after, registerMaxDwh } = around;
  const gaps = gapsOf(slot.times, lastMs, slotMs);
  const register = registerEnergy(slot.registers, {
    slotMs,
    before,
    after,
    maxDwh: registerMaxDwh,
    gapMs: Math.min(slotMs, Math.max(LEAST_GAP_MS, gaps.longestMs)),
  });
  const isKnown = slot.powerCount > 0 || register.knownMs > 0;
  const coveragePm = isKnown ? Math.round((gaps.coveredMs / slotMs) * 1_000) : 0;
  const meanDw =
    slot.powerCount > 0
      ? slot.powerSumDw / slot.powerCount
      : register.knownMs > 0
        ? (register.knownDwh * MWH_PER_DWH) / (register.knownMs * MWH_PER_DW_MS)
        : 0;
  return {
    energyMwh: register.dwh * MWH_PER_DWH + powerEnergyMwh(slot, around, { coveragePm, brokenMs: register.brokenMs }),
    meanPowerDw: int4(meanDw),
    minPowerDw: int4(slot.powerMinDw ?? meanDw),
    maxPowerDw: int4(slot.powerMaxDw ?? meanDw),
    count: slot.times.length,
    coveragePm,
    minVoltageCv: slot.minVoltageCv === null ? null : int4(slot.minVoltageCv),
    maxVoltageCv: slot.maxVoltageCv === null ? null : int4(slot.maxVoltageCv),
    flags: register.estimated ? slot.flags | ESTIMATED : slot.flags,
  };
}

const int4 = (value: number): number => Math.round(Math.max(-MAX_INT4, Math.min(MAX_INT4, value)));

/** Only where no register speaks. Made of what is stored, so that a packed day need not keep it. */
function powerEnergyMwh(
  slot: Accumulator,
  { slotMs, before, after }: Around,
  { coveragePm, brokenMs }: { readonly coveragePm: number; readonly brokenMs: number },
): number {
  const hasRegister = countOf(slot.registers) > 0 || (before !== null && after !== null);
  const spanMs = hasRegister ? brokenMs : slotMs;
  if (slot.powerCount === 0 || spanMs === 0) return 0;
  return energyOfPower(int4(slot.importSumDw / slot.powerCount), coveragePm, spanMs);
}

export const energyOfPower = (meanDw: number, coveragePm: number, spanMs: number): number =>
  Math.round(((meanDw * coveragePm) / 1_000) * spanMs * MWH_PER_DW_MS);

/** Share of the slot that readings speak for, by the meter's own usual interval. */
function gapsOf(
  times: readonly number[],
  lastMs: number | null,
  slotMs: number,
): { readonly longestMs: number; readonly coveredMs: number } {
  const first = times[0];
  const last = times.at(-1);
  if (first === undefined || last === undefined) return { longestMs: 0, coveredMs: 0 };
  const inner = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const gaps = lastMs === null ? inner : [first - lastMs, ...inner];
  // The upper quartile: a meter may send power and voltage as two messages a moment apart.
  const usual = [...gaps].sort((a, b) => a - b)[Math.ceil(0.75 * (gaps.length - 1))] ?? slotMs;
  const longestMs = usual * INTERVALS_SPOKEN_FOR;
  const coveredMs = [first, ...inner, slotMs - last].reduce((sum, gap) => sum + Math.min(gap, longestMs), 0);
  return { longestMs, coveredMs };
}
