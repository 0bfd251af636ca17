import { DAY_MS } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';
import { createComingDays } from './coming-days.js';
import { DAY_COLUMNS, DAY_PARTS, type DayColumn, emptyDay, packDay, slotsIn } from './day-packing.js';
import { type DayRows, dayKey, dayOfKey, meterOfKey, openDayRows, type StoredDay } from './day-rows.js';
import { OF_METER, slotTimes } from './reads/open-slots.js';
import type { Counted } from './register-counted.js';
import { NULL } from './slot-column.js';
import type { SealedSlot } from './slot-sealed.js';
import type { Transactions } from './transactions.js';

/** Finished days, each in few bytes: of a slot what it says, and no more what a late reading would be merged with. */
export interface SlotDays extends Pick<DayRows, 'lastRegister'> {
  slotOf(meter: number, slotStartMs: number): SealedSlot | undefined;
  /** Packs a few of the oldest finished days; go on while there is more. */
  pack(nowMs: number): Packing;
  /** A reading came: a day that is over stays open while readings of it come. */
  heard(meter: number, takenAtMs: number, nowMs: number): void;
  /** Drops the oldest days, each of one meter; says how many. Only inside a transaction. */
  prune(limits: DayLimits): number;
  /** Drops days from this one on; says how many, at most so many at a time. Only inside a transaction. */
  dropFrom(day: number): number;
  /** When the oldest packed day begins. */
  firstMs(): number | undefined;
}

export interface DayLimits {
  /** Days that ended before this go. */
  readonly beforeMs: number;
  /** So many of the oldest slots go, whatever their age. */
  readonly over: number;
  /** Changes beyond this are not at the centre: they and what follows them stay. */
  readonly upTo: number;
}

export interface Packing {
  readonly days: number;
  readonly more: boolean;
}

export interface DayGuards {
  /** Readings of these slots are still in memory. */
  readonly isOpen: (meter: number, fromMs: number, toMs: number) => boolean;
  /** All that waits for this change has seen it. */
  readonly isDone: (slot: { readonly changeSeq: number; readonly dataSeq: number }) => boolean;
  /** A centre may be told of it later on. */
  readonly isUnsent: boolean;
  readonly counted: (meter: number, dayStartMs: number) => Counted | null;
  readonly onPacked: (meter: number) => void;
}

/** Without names, which would cost more than the values: then come the columns of a day in their order. */
type SlotRow = readonly [slotStartMs: number, changeSeq: number, dataSeq: number, ...columns: (number | null)[]];
const VALUES_FROM = 3;

/**
 * Meters looked at in one step. Their slots are neighbours on three hundred pages, which are written once for all that
 * are packed together; a step takes no more once so much time has passed, and then still has to write.
 */
const STEP_METERS = 16;
const LOOKING_MS = 8;
/** Late readings come mostly in the first hours. */
const REST_MS = 2 * 3_600_000;
/** When nothing was ready, that is looked at again after so long. */
const PAUSE_MS = 60_000;

/** Days dropped in one step. */
export const STEP_DAYS = 200;

/** Days that ended before it are finished. */
const finishedBefore = (nowMs: number): number => Math.floor((nowMs - REST_MS) / DAY_MS) * DAY_MS;

/** Only the first row of a day says what is true of all of it. */
const NO_HEAD = [null, null, null, null, null];

const COLUMNS: Readonly<Record<DayColumn, string>> = {
  meanPowerDw: 'mean_power_dw',
  minPowerDw: 'min_power_dw',
  maxPowerDw: 'max_power_dw',
  count: 'count',
  coveragePm: 'coverage_pm',
  energyMwh: 'energy_mwh',
  flags: 'flags',
  revision: 'revision',
  minVoltageCv: 'min_voltage_cv',
  maxVoltageCv: 'max_voltage_cv',
  model: 'model',
  rawScoreE4: 'raw_score_e4',
  scoreE4: 'score_e4',
};

interface Parts {
  readonly slotMs: number;
  readonly transactions: Transactions;
  readonly guards: () => DayGuards;
  readonly lastSeq: () => number;
}

interface Finished {
  readonly id: number;
  /** Its open slots, which go. */
  readonly rows: readonly SlotRow[];
  readonly places: Int32Array;
  /** Slots that it did not have when it was packed before. */
  readonly added: number;
  readonly packed: readonly Uint8Array[];
  readonly register: Counted | null;
  readonly isUnsent: boolean;
}

interface DroppedRow {
  readonly id: number;
  readonly packed: Uint8Array;
  readonly firstChange: number | null;
  readonly unsent: number | null;
}

export function openSlotDays(db: Connection, { slotMs, transactions, guards, lastSeq }: Parts): SlotDays {
  const days = openDayRows(db, slotMs);
  const { slotsPerDay } = days.shape;
  // In the order of the key, so that what was passed over once is not looked at again.
  const nextSlot = db.prepare<[number, number, number], { slotStartMs: number; meter: number }>(
    `select slot_start_ms as slotStartMs, meter from slot where (slot_start_ms, meter) > (?, ?) and slot_start_ms < ?
     order by slot_start_ms, meter limit 1`,
  );
  const slotsOfDay = db
    .prepare<[number, number, number], SlotRow>(
      `${slotTimes(slotMs)}
       select slot_start_ms, change_seq, data_seq, ${DAY_COLUMNS.map((name) => COLUMNS[name])} ${OF_METER}`,
    )
    .raw();
  const deleteSlot = db.prepare('delete from slot where slot_start_ms = ? and meter = ?');
  const put = db.prepare(
    `insert or replace into slot_day (id, packed, first_change, unsent, last_register_ms, last_register_dwh, up_to_seq)
     values (?, ?, ?, ?, ?, ?, ?)`,
  );
  const fromOldest = db.prepare<[number], DroppedRow>(
    `select id, packed, first_change as firstChange, unsent from slot_day where id >= ? and id & 3 = 0
     order by id limit ${STEP_DAYS}`,
  );
  const firstOpen = db.prepare<[], number | null>('select min(slot_start_ms) from slot').pluck();
  const reopened = db
    .prepare<[number, number, number], number>(`${slotTimes(slotMs)} select count(*) ${OF_METER}`)
    .pluck();
  const deleteDay = db.prepare('delete from slot_day where id between ? and ?');
  const BEGINNING = { slotStartMs: -1, meter: -1 };
  let passed = BEGINNING;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  const coming = createComingDays({ isResumed: lastSeq() > 0 });

  /** Undefined while something of that day is awaited. */
  function finished(meter: number, day: number, guard: DayGuards): Finished | undefined {
    const fromMs = day * DAY_MS;
    const rows = slotsOfDay.all(fromMs, fromMs + DAY_MS, meter);
    if (
      guard.isOpen(meter, fromMs, fromMs + DAY_MS) ||
      !rows.every(([, changeSeq, dataSeq]) => guard.isDone({ changeSeq, dataSeq }))
    )
      return undefined;
    const before = days.load(meter, day);
    const merged = merge(before, rows, { fromMs, slotMs, slotsPerDay });
    return {
      id: dayKey(meter, day),
      rows,
      places: merged.places,
      added: merged.places.length - (before?.places.length ?? 0),
      packed: packDay(merged, days.shape),
      register: guard.counted(meter, fromMs),
      isUnsent: guard.isUnsent || before?.isUnsent === true,
    };
  }

  function write({ id, rows, places, added, packed, register, isUnsent }: Finished): void {
    // Numbers of its own, so that a centre that is connected later on can be told of the slots one by one.
    const changes = isUnsent ? places.map(() => transactions.nextChange()) : [];
    const firstChange = changes[0] ?? Math.max(0, ...rows.map(([, changeSeq]) => changeSeq));
    const head = [firstChange, isUnsent ? 1 : null, register?.atMs ?? null, register?.dwh ?? null, lastSeq()];
    packed.forEach((bytes, part) => {
      put.run([id + part, bytes, ...(part === 0 ? head : NO_HEAD)]);
    });
    for (const [slotStartMs] of rows) deleteSlot.run(slotStartMs, meterOfKey(id));
    transactions.count('packed', added);
  }

  /** A slot that is open again over what was packed is still a slot. */
  function drop({ id, packed }: DroppedRow): void {
    const day = dayOfKey(id);
    const [fromMs, toMs] = [day * DAY_MS, (day + 1) * DAY_MS];
    const stay = (firstOpen.get() ?? toMs) < toMs ? (reopened.get(fromMs, toMs, meterOfKey(id)) ?? 0) : 0;
    deleteDay.run(id, id + DAY_PARTS.length - 1);
    const slots = slotsIn(packed);
    transactions.count('packed', -slots);
    transactions.count('slots', stay - slots);
  }

  return {
    lastRegister: days.lastRegister,
    slotOf(meter, slotStartMs) {
      const day = Math.floor(slotStartMs / DAY_MS);
      const found = days.load(meter, day, 'revision');
      const place = (slotStartMs - day * DAY_MS) / slotMs;
      return found?.places.includes(place) === true ? sealedAt(found, place) : undefined;
    },
    pack(nowMs) {
      if (nowMs < pausedUntilMs) return { days: 0, more: false };
      const guard = guards();
      const endMs = finishedBefore(nowMs);
      const found: Finished[] = [];
      let more = true;
      const beganMs = performance.now();
      for (let looks = 0; looks < STEP_METERS && performance.now() - beganMs < LOOKING_MS; looks += 1) {
        const next = nextSlot.get(passed.slotStartMs, passed.meter, endMs);
        if (next === undefined) {
          more = false;
          passed = BEGINNING;
          break;
        }
        const day = Math.floor(next.slotStartMs / DAY_MS);
        // Of few meters the next slot is that of one that is packed in this step already.
        if (found.some(({ id }) => id === dayKey(next.meter, day))) break;
        passed = next;
        if (coming.has(dayKey(next.meter, day), nowMs)) continue;
        const ready = finished(next.meter, day, guard);
        if (ready !== undefined) found.push(ready);
      }
      if (!more) {
        pausedUntilMs = nowMs + PAUSE_MS;
        coming.forget(nowMs);
      }
      if (found.length > 0) {
        transactions.run(() => {
          for (const day of found) write(day);
        });
      }
      for (const { id } of found) guard.onPacked(meterOfKey(id));
      return { days: found.length, more };
    },
    heard(meter, takenAtMs, nowMs) {
      if (takenAtMs < finishedBefore(nowMs)) coming.heard(dayKey(meter, Math.floor(takenAtMs / DAY_MS)), nowMs);
    },
    prune({ beforeMs, over, upTo }) {
      let [dropped, slots] = [0, 0];
      for (const row of fromOldest.all(0)) {
        const isOld = (dayOfKey(row.id) + 1) * DAY_MS <= beforeMs;
        if (!isOld && slots >= over) break;
        const lastChange = (row.firstChange ?? 0) + slotsPerDay - 1;
        if (row.unsent === 1 && lastChange > upTo) break;
        drop(row);
        dropped += 1;
        slots += slotsIn(row.packed);
      }
      return dropped;
    },
    dropFrom(day) {
      const rows = fromOldest.all(dayKey(0, day));
      for (const row of rows) drop(row);
      return rows.length;
    },
    firstMs: () => {
      const range = days.range();
      return range === undefined ? undefined : range.first * DAY_MS;
    },
  };
}

/** What is still open stands over what was packed before. */
function merge(
  before: StoredDay | undefined,
  rows: readonly SlotRow[],
  { fromMs, slotMs, slotsPerDay }: { readonly fromMs: number; readonly slotMs: number; readonly slotsPerDay: number },
) {
  const open = rows.map(([slotStartMs]) => (slotStartMs - fromMs) / slotMs);
  const places = before === undefined ? open : new Set([...before.places, ...open]);
  const day = emptyDay(slotsPerDay, Int32Array.from(places).sort());
  DAY_COLUMNS.forEach((name, column) => {
    const values = day.columns[name];
    if (before !== undefined) values.set(before.columns[name]);
    open.forEach((place, index) => {
      values[place] = rows[index]?.[VALUES_FROM + column] ?? NULL;
    });
  });
  return day;
}

function sealedAt({ columns, hasRegister, upToSeq }: StoredDay, place: number): SealedSlot {
  const at = (name: DayColumn): number => columns[name][place] ?? 0;
  const orNull = (name: DayColumn): number | null => (at(name) === NULL ? null : at(name));
  return {
    energyMwh: at('energyMwh'),
    meanPowerDw: at('meanPowerDw'),
    minPowerDw: at('minPowerDw'),
    maxPowerDw: at('maxPowerDw'),
    count: at('count'),
    coveragePm: at('coveragePm'),
    minVoltageCv: orNull('minVoltageCv'),
    maxVoltageCv: orNull('maxVoltageCv'),
    flags: at('flags'),
    revision: at('revision'),
    hasRegister,
    upToSeq,
  };
}
