import { type ChangeSeq, changeSeq, type EpochMs, epochMs, type MeterId } from '../../domain/brand.js';
import { DAY_MS } from '../../domain/slot.js';
import { SCALE, type StoredSlot } from '../../domain/stored.js';
import type { Connection } from '../buffer-file.js';
import type { Cursors } from '../cursors.js';
import { type DayRows, dayKey, dayOfKey, meterOfKey } from '../day-rows.js';
import { selectSlots, slotColumns } from './columns.js';
import type { MeterKeys } from './meter-keys.js';
import { OF_METER, openSlotSpan, slotTimes } from './open-slots.js';
import { createPackedSlots } from './packed-slots.js';

interface Parts {
  readonly slotMs: number;
  readonly days: DayRows;
  readonly meterKeys: MeterKeys;
  readonly cursors: Cursors;
}

/** Mean power of one slot, in watts. */
export type PutLoad = (meter: MeterId, slotStartMs: EpochMs, meanPowerW: number) => void;

/** Some tenths of a millisecond, as long as a packed day takes. */
const ROWS_IN_A_STEP = 256;

interface LoadRow {
  readonly meter: number;
  readonly slotStartMs: number;
  readonly meanPowerDw: number;
}

export function openSlotReads(db: Connection, { slotMs, days, meterKeys, cursors }: Parts) {
  // A slot that was scored since it last changed has a change_seq beyond its data_seq; one that is to be analysed never has.
  const changed = db.prepare<[number, number], StoredSlot>(
    `${selectSlots(slotMs)} where s.change_seq > ? and s.change_seq = s.data_seq order by s.change_seq limit ?`,
  );
  const times = slotTimes(slotMs);
  const ofMeter = db.prepare<[number, number, number], StoredSlot>(
    `${times} select ${slotColumns(slotMs)} ${OF_METER}
       join meter m on m.id = s.meter left join model b on b.id = s.model`,
  );
  const loadOfMeter = db.prepare<[number, number, number], LoadRow>(
    `${times} select s.meter, s.slot_start_ms as slotStartMs, s.mean_power_dw as meanPowerDw ${OF_METER}
     where s.count > 0`,
  );
  const loadOfAll = db.prepare<[number, number], LoadRow>(
    `select meter, slot_start_ms as slotStartMs, mean_power_dw as meanPowerDw from slot
     where slot_start_ms >= ? and data_seq <= ? and count > 0`,
  );
  const packedKeys = db.prepare<[number], number>('select id from slot_day where id >= ? and id & 3 = 0').pluck();
  const names = db.prepare<[], { key: number; name: MeterId }>('select id as key, name from meter');
  const oldestWaiting = db
    .prepare<[number], number | null>(
      'select min(slot_start_ms) from slot where change_seq > ? and change_seq = data_seq',
    )
    .pluck();
  const packed = createPackedSlots(db, days);
  const open = openSlotSpan(db, slotMs);

  const slotsOf = db.transaction((meter: MeterId, fromMs: number, toMs: number): readonly StoredSlot[] => {
    const key = meterKeys(meter);
    if (key === undefined) return [];
    const [from, to] = open.between(fromMs, toMs);
    const unpacked = from < to ? ofMeter.all(from, to, key) : [];
    const sealed = packed.between({ meter, key }, fromMs, toMs);
    if (sealed.length === 0) return unpacked;
    // What is open again stands over what was packed.
    const late = new Set(unpacked.map(({ slotStartMs }) => slotStartMs));
    const kept = late.size === 0 ? sealed : sealed.filter(({ slotStartMs }) => !late.has(slotStartMs));
    const isAfter = unpacked[0] === undefined || (kept.at(-1)?.slotStartMs ?? 0) < unpacked[0].slotStartMs;
    const all = [...kept, ...unpacked];
    return isAfter ? all : all.sort((a, b) => a.slotStartMs - b.slotStartMs);
  });

  const toAnalyse = db.transaction((after: ChangeSeq, limit: number) => {
    const slots = changed.all(after, limit);
    const end = slots.length < limit ? cursors.position('change') : (slots.at(-1)?.changeSeq ?? after);
    return { slots, upTo: changeSeq(Math.max(after, end)) };
  });

  function* analysed(lastDays: number, put: PutLoad): Generator<ChangeSeq> {
    const upTo = changeSeq(cursors.position('analysed'));
    yield upTo;
    // With a long backlog, what is analysed ends before the oldest of it.
    const newestMs = open.lastMs() ?? ((days.range()?.last ?? -1) + 1) * DAY_MS;
    const waitingMs = oldestWaiting.get(upTo) ?? newestMs + slotMs;
    const fromMs = Math.min(newestMs, waitingMs - slotMs) - lastDays * DAY_MS + slotMs;
    const meters = new Map(names.all().map(({ key, name }) => [key, name]));
    for (const id of packedKeys.all(dayKey(0, Math.floor(fromMs / DAY_MS)))) {
      const meter = meters.get(meterOfKey(id));
      const day = dayOfKey(id);
      if (meter === undefined) continue;
      packed.load(meterOfKey(id), day, (place, powerW) => put(meter, epochMs(day * DAY_MS + place * slotMs), powerW));
      yield upTo;
    }
    let rows = 0;
    for (const row of loadOfAll.iterate(fromMs, upTo)) {
      const meter = meters.get(row.meter);
      if (meter !== undefined) put(meter, epochMs(row.slotStartMs), powerOf(row));
      rows += 1;
      if (rows % ROWS_IN_A_STEP === 0) yield upTo;
    }
  }

  function* readAnalysed(lastDays: number, put: PutLoad): Generator<ChangeSeq> {
    db.exec('begin');
    try {
      yield* analysed(lastDays, put);
    } finally {
      db.exec('commit');
    }
  }

  const loadOf = db.transaction((meter: MeterId, fromDay: number, toDay: number): Float32Array => {
    const { slotsPerDay } = days.shape;
    const load = new Float32Array((toDay - fromDay) * slotsPerDay).fill(Number.NaN);
    const key = meterKeys(meter);
    if (key === undefined) return load;
    for (let day = fromDay; day < toDay; day += 1) {
      packed.load(key, day, (place, powerW) => {
        load[(day - fromDay) * slotsPerDay + place] = powerW;
      });
    }
    const [from, to] = open.between(fromDay * DAY_MS, toDay * DAY_MS);
    for (const row of from < to ? loadOfMeter.all(from, to, key) : []) {
      load[(row.slotStartMs - fromDay * DAY_MS) / slotMs] = powerOf(row);
    }
    return load;
  });

  return {
    slotMs,
    slotsToAnalyse: (after: ChangeSeq, limit: number) => toAnalyse(after, limit),
    readAnalysed,
    loadOf: (meter: MeterId, fromDay: number, toDay: number) => loadOf(meter, fromDay, toDay),
    slotsOf: (meter: MeterId, fromMs: EpochMs, toMs: EpochMs) => slotsOf(meter, fromMs, toMs),
  };
}

const powerOf = ({ meanPowerDw }: LoadRow): number => SCALE.powerDw.unpack(meanPowerDw) ?? Number.NaN;
