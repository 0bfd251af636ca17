import { type Accumulator, energyOfPower, type SlotValues, valuesOf } from './slot-accumulator.js';

/** A slot whose day is packed: its values are known, but not the readings that they were made of. */
export interface SealedSlot extends SlotValues {
  readonly revision: number;
  /** Its energy came from the register. */
  readonly hasRegister: boolean;
  /** Readings of the log up to here are counted. */
  readonly upToSeq: number;
}

/** Where all of a slot is spoken for, whatever comes later is a repeat. */
export const FULLY_COVERED_PM = 1_000;

/**
 * What came after the packing is added to what was there: each reading speaks for as much as those before it did. What
 * the register counted stays where it stands, for the slots around have taken their part of it.
 */
export function mergeSealed(sealed: SealedSlot, late: Accumulator, slotMs: number): SlotValues {
  if (sealed.count === 0) return heardLate(sealed, late, slotMs);
  const count = sealed.count + late.times.length;
  const perReading = sealed.coveragePm / sealed.count;
  const coveragePm = Math.min(FULLY_COVERED_PM, Math.round(sealed.coveragePm + perReading * late.times.length));
  const heard = late.powerCount > 0 && sealed.coveragePm > 0;
  const meanDw = heard
    ? Math.round((sealed.meanPowerDw * sealed.count + late.powerSumDw) / (sealed.count + late.powerCount))
    : sealed.meanPowerDw;
  const addedMwh =
    sealed.hasRegister || late.powerCount === 0
      ? 0
      : energyOfPower(late.importSumDw / late.powerCount, coveragePm - sealed.coveragePm, slotMs);
  return {
    energyMwh: sealed.energyMwh + addedMwh,
    meanPowerDw: meanDw,
    minPowerDw: Math.min(sealed.minPowerDw, late.powerMinDw ?? sealed.minPowerDw),
    maxPowerDw: Math.max(sealed.maxPowerDw, late.powerMaxDw ?? sealed.maxPowerDw),
    count,
    coveragePm,
    minVoltageCv: least(sealed.minVoltageCv, late.minVoltageCv),
    maxVoltageCv: most(sealed.maxVoltageCv, late.maxVoltageCv),
    flags: sealed.flags | late.flags,
  };
}

const least = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));
const most = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));

/** A slot that was only known from what the register counted in a gap. */
function heardLate(sealed: SealedSlot, late: Accumulator, slotMs: number): SlotValues {
  const nothing = { lastMs: null, before: null, after: null, registerMaxDwh: undefined };
  const own = valuesOf(late, { slotMs, ...nothing });
  const energyMwh = sealed.hasRegister ? sealed.energyMwh : own.energyMwh;
  return { ...own, energyMwh, flags: sealed.flags | own.flags };
}
