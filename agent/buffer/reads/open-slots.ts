import type { Connection } from '../buffer-file.js';

/**
 * The slots that are not packed. Their key begins with the time, so those of one meter are looked up one by one: a
 * microsecond each, and no second index.
 */
export interface OpenSlots {
  /** What of a span can hold any of them: they lie between the first and the last. */
  between(fromMs: number, toMs: number): readonly [fromMs: number, toMs: number];
  firstMs(): number | undefined;
  lastMs(): number | undefined;
}

/** Before and in place of `from`: the slots of a meter, for the beginning and the end of a span and the meter's number. */
export const slotTimes = (slotMs: number): string =>
  `with recursive at (ms) as (select ? union all select ms + ${slotMs} from at where ms + ${slotMs} < ?)`;
export const OF_METER = 'from at cross join slot s on s.slot_start_ms = at.ms and s.meter = ?';

export function openSlotSpan(db: Connection, slotMs: number): OpenSlots {
  const first = db.prepare<[], number | null>('select min(slot_start_ms) from slot').pluck();
  const last = db.prepare<[], number | null>('select max(slot_start_ms) from slot').pluck();
  return {
    between(fromMs, toMs) {
      const from = Math.max(Math.ceil(fromMs / slotMs) * slotMs, first.get() ?? 0);
      return [from, Math.min(toMs, (last.get() ?? -1) + 1)];
    },
    firstMs: () => first.get() ?? undefined,
    lastMs: () => last.get() ?? undefined,
  };
}
