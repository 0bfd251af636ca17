import type { EpochMs, MeterId } from '../domain/brand.js';
import { flagBits } from '../domain/flags.js';
import { DAY_MS } from '../domain/slot.js';
import { type MeasuredSlots, SCALE } from '../domain/stored.js';
import type { ReadSource } from './source.js';
import type { DayRow, Days } from './wire.js';

const ESTIMATED = flagBits(['estimated']);

/** What a meter used day by day, today with what there is of it. Days are those of UTC, as they are packed. */
export function readDays(
  source: ReadSource,
  meter: MeterId,
  { nowMs, days }: { readonly nowMs: EpochMs; readonly days: number },
): Days {
  const toDay = Math.floor(nowMs / DAY_MS) + 1;
  const fromDay = toDay - days;
  const measured = source.measuredOf(meter, fromDay, toDay);
  const slotsPerDay = DAY_MS / source.slotMs;
  return {
    fromMs: fromDay * DAY_MS,
    days: Array.from({ length: days }, (_, day) => dayRow(measured, day * slotsPerDay, (day + 1) * slotsPerDay)),
  };
}

function dayRow({ energyMwh, maxPowerDw, coveragePm, flags }: MeasuredSlots, from: number, to: number): DayRow | null {
  let [slots, mwh, maxDw, coverage, estimated] = [0, 0, Number.NEGATIVE_INFINITY, 0, 0];
  for (let at = from; at < to; at += 1) {
    const energy = energyMwh[at] ?? Number.NaN;
    if (Number.isNaN(energy)) continue;
    slots += 1;
    mwh += energy;
    maxDw = Math.max(maxDw, maxPowerDw[at] ?? maxDw);
    coverage += coveragePm[at] ?? 0;
    if (((flags[at] ?? 0) & ESTIMATED) !== 0) estimated += energy;
  }
  if (slots === 0) return null;
  return {
    energyWh: SCALE.energyMwh.unpack(mwh) ?? 0,
    estimatedWh: SCALE.energyMwh.unpack(estimated) ?? 0,
    maxW: SCALE.powerDw.unpack(maxDw) ?? 0,
    coverage: (SCALE.coveragePm.unpack(coverage) ?? 0) / (to - from),
  };
}
