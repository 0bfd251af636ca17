import type { MeterId } from '../../domain/brand.js';
import type { Range } from '../../domain/ranges.js';
import type { StoredSlot } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import { type DayRows, dayOfKey, meterOfKey } from '../day-rows.js';
import { createPackedSlots } from './packed-slots.js';

/** Days that were packed while there was no centre: one that is connected later on is told of them too. */
export interface UnsentDays {
  /** A page of the stream of slots, with those of packed days in their places. */
  among(open: readonly StoredSlot[], part: Range, limit: number): readonly StoredSlot[];
  count(part: Range, limit: number): number;
}

interface Row {
  readonly id: number;
  readonly meter: MeterId;
}

export function openUnsentDays(db: Connection, days: DayRows): UnsentDays {
  const { slotsPerDay } = days.shape;
  // The numbers of a day follow each other from its first on.
  const page = db.prepare<[number, number, number], Row>(
    `select d.id, m.name as meter from slot_day d join meter m on m.id = (d.id >> 2) & 0xffffff
     where d.unsent = 1 and d.first_change > ? and d.first_change <= ? order by d.first_change limit ?`,
  );
  const count = db
    .prepare<[number, number, number], number>(
      'select count(*) from (select 1 from slot_day where unsent = 1 and first_change > ? and first_change <= ? limit ?)',
    )
    .pluck();
  const packed = createPackedSlots(db, days);

  return {
    among(open, { after, upTo }, limit) {
      const rows = page.all(after - slotsPerDay, upTo, 2 + Math.ceil(limit / slotsPerDay));
      if (rows.length === 0) return open;
      const slots = rows
        .flatMap(({ id, meter }) => packed.slotsOfDay({ meter, key: meterOfKey(id) }, dayOfKey(id)))
        .filter(({ changeSeq }) => changeSeq > after && changeSeq <= upTo);
      return [...open, ...slots].sort((a, b) => a.changeSeq - b.changeSeq).slice(0, limit);
    },
    count: ({ after, upTo }, limit) => slotsPerDay * (count.get(after, upTo, Math.ceil(limit / slotsPerDay)) ?? 0),
  };
}
