import { type ChangeSeq, changeSeq, type EpochMs, type MeterId } from '../../domain/brand.js';
import { SLOT_MS } from '../../domain/slot.js';
import type { StoredSlot } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import type { Cursors } from '../cursors.js';
import { SELECT_SLOTS, SLOT_COLUMNS } from './columns.js';
import type { MeterKeys } from './meter-keys.js';

interface Parts {
  readonly meterKeys: MeterKeys;
  readonly cursors: Cursors;
}

export function openSlotReads(db: Connection, { meterKeys, cursors }: Parts) {
  // A slot that was scored since it last changed has a change_seq beyond its data_seq; one that is to be analysed never has.
  const changed = db.prepare<[number, number], StoredSlot>(
    `${SELECT_SLOTS} where s.change_seq > ? and s.change_seq = s.data_seq order by s.change_seq limit ?`,
  );
  // The key begins with the time, so a meter's slots are looked up one by one: a microsecond each, and no second index.
  const ofMeter = db.prepare<[number, number, number], StoredSlot>(
    `with recursive at (ms) as (select ? union all select ms + ${SLOT_MS} from at where ms + ${SLOT_MS} < ?)
     select ${SLOT_COLUMNS} from at cross join slot s on s.slot_start_ms = at.ms and s.meter = ?
       join meter m on m.id = s.meter left join model b on b.id = s.model`,
  );
  const first = db.prepare<[], number | null>('select min(slot_start_ms) from slot').pluck();
  const last = db.prepare<[], number | null>('select max(slot_start_ms) from slot').pluck();
  const newestOfEach = db.prepare<[], { meter: number; newestSlotMs: number }>(
    'select meter, newest_slot_ms as newestSlotMs from meter_state where newest_slot_ms is not null',
  );

  const analysedOf = db.prepare<[number, number, number, number], StoredSlot>(
    `with recursive at (ms) as (select ? union all select ms + ${SLOT_MS} from at where ms < ?)
     select ${SLOT_COLUMNS} from at cross join slot s on s.slot_start_ms = at.ms and s.meter = ? and s.data_seq <= ?
       join meter m on m.id = s.meter left join model b on b.id = s.model`,
  );
  const oldestWaiting = db.prepare<[number], { meter: number; slotStartMs: number }>(
    `select meter, min(slot_start_ms) as slotStartMs from slot where change_seq > ? and change_seq = data_seq group by meter`,
  );

  function between(meter: number, fromMs: number, toMs: number): StoredSlot[] {
    const from = Math.max(Math.ceil(fromMs / SLOT_MS) * SLOT_MS, first.get() ?? 0);
    const to = Math.min(toMs, (last.get() ?? -1) + 1);
    return from < to ? ofMeter.all(from, to, meter) : [];
  }

  const toAnalyse = db.transaction((after: ChangeSeq, limit: number) => {
    const slots = changed.all(after, limit);
    const end = slots.length < limit ? cursors.position('change') : (slots.at(-1)?.changeSeq ?? after);
    return { slots, upTo: changeSeq(Math.max(after, end)) };
  });

  return {
    slotsToAnalyse: (after: ChangeSeq, limit: number) => toAnalyse(after, limit),
    *analysedSlots(count: number): Iterable<StoredSlot> {
      const upTo = cursors.position('analysed');
      const spanMs = (count - 1) * SLOT_MS;
      const waiting = new Map(oldestWaiting.all(upTo).map(({ meter, slotStartMs }) => [meter, slotStartMs]));
      for (const { meter, newestSlotMs } of newestOfEach.all()) {
        const newest = analysedOf.all(newestSlotMs - spanMs, newestSlotMs, meter, upTo).at(-1)?.slotStartMs;
        // With more than a window waiting, what is analysed ends before the oldest of it.
        const endMs = newest ?? (waiting.get(meter) ?? newestSlotMs) - SLOT_MS;
        yield* analysedOf.all(endMs - spanMs, endMs, meter, upTo);
      }
    },
    slotsOf(meter: MeterId, fromMs: EpochMs, toMs: EpochMs): readonly StoredSlot[] {
      const key = meterKeys(meter);
      return key === undefined ? [] : between(key, fromMs, toMs);
    },
  };
}
