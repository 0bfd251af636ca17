import { DAY_MS } from '../domain/slot.js';
import { isFar, shareOf, stepOf } from './slot-energy.js';
import type { Neighbours } from './slot-neighbours.js';

export interface Counted {
  /** When in that day the register was last read, or the last moment of a day that only a gap filled. */
  readonly atMs: number;
  readonly dwh: number;
}

interface Place {
  readonly meter: number;
  readonly dayStartMs: number;
  readonly registerMaxDwh: number | undefined;
}

/** What the register had counted at the end of a day, as the slots of that day have it; null: they have nothing of it. */
export function countedBy(near: Neighbours, { meter, dayStartMs, registerMaxDwh }: Place): Counted | null {
  const dayEndMs = dayStartMs + DAY_MS;
  const last = near.before(meter, dayEndMs);
  if (last === null) return null;
  const { atMs, dwh } = last.point;
  const isOfDay = atMs >= dayStartMs;
  const after = near.after(meter, last.slotStartMs);
  const step = after === null ? null : stepOf(last.point, after.point, registerMaxDwh);
  if (after === null || step === null || after.point.sealed || isFar(last.point, after.point)) {
    return isOfDay ? { atMs: Math.min(atMs, dayEndMs - 1), dwh } : null;
  }
  const counted = dwh + shareOf(step, last.point, after.point, dayEndMs);
  return { atMs: isOfDay ? Math.min(atMs, dayEndMs - 1) : dayEndMs - 1, dwh: counted };
}
