import type { MeterId } from '../../domain/brand.js';
import type { StoredSlot } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { type DayRows, dayOfKey, meterOfKey } from '../day-rows.js';
import { createPackedSlots } from './packed-slots.js';

/** Days that were packed while there was no centre: one that is connected later on is told of them too. */
export interface UnsentDays {
  /** A page of the stream of slots, with those of packed days in their places. */
  among(open: readonly StoredSlot[], after: number, limit: number): readonly StoredSlot[];
  count(after: number, limit: number): number;
}

interface Row {
  readonly id: number;
  readonly meter: MeterId;
}

export function openUnsentDays(db: Connection, days: DayRows): UnsentDays {
  const { slotsPerDay } = days.shape;
  // The numbers of a day follow each other from its first on.
  const page = db.prepare<[number, number], Row>(
    `select d.id, m.name as meter from slot_day d join meter m on m.id = (d.id >> 2) & 0xffffff
     where d.unsent = 1 and d.first_change > ? order by d.first_change limit ?`,
  );
  const count = db
    .prepare<[number, number], number>(
      'select count(*) from (select 1 from slot_day where unsent = 1 and first_change > ? limit ?)',
    )
    .pluck();
  const packed = createPackedSlots(db, days);

  return {
    among(open, after, limit) {
      const rows = page.all(after - slotsPerDay, 2 + Math.ceil(limit / slotsPerDay));
      if (rows.length === 0) return open;
      const slots = rows
        .flatMap(({ id, meter }) => packed.slotsOfDay({ meter, key: meterOfKey(id) }, dayOfKey(id)))
        .filter(({ changeSeq }) => changeSeq > after);
      return [...open, ...slots].sort((a, b) => a.changeSeq - b.changeSeq).slice(0, limit);
    },
    count: (after, limit) => slotsPerDay * (count.get(after, Math.ceil(limit / slotsPerDay)) ?? 0),
  };
}
