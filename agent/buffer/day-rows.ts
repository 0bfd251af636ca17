import { DAY_MS } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';
import { DAY_PARTS, type Day, type DayColumn, type DayShape, emptyDay, unpackDay } from './day-packing.js';

/** Reads of packed days, for the writer and for readers. */
export interface DayRows {
  readonly shape: DayShape;
  /** What stands behind `through` in day-packing.ts is not read. The columns are those of the next day once that is loaded. */
  load(meter: number, day: number, through?: DayColumn): StoredDay | undefined;
  /** The first and the last day of which anything is packed. */
  range(): { readonly first: number; readonly last: number } | undefined;
  lastRegister(meter: number, day: number): { readonly atMs: number; readonly dwh: number } | null | undefined;
}

export interface StoredDay extends Day {
  /** The number of the first slot's change; those of the others follow. */
  readonly firstChange: number;
  /** The day's energy comes from the register. */
  readonly hasRegister: boolean;
  /** Packed while there was no centre. */
  readonly isUnsent: boolean;
  /** Readings of the log up to here that belong to this day are counted in it. */
  readonly upToSeq: number;
}

/** Rows of one day stand together, in the order of meters; they are written one after the other. */
const METERS = 2 ** 24;
const PARTS = 4;
export const dayKey = (meter: number, day: number, part = 0): number => (day * METERS + meter) * PARTS + part;
export const dayOfKey = (key: number): number => Math.floor(key / PARTS / METERS);
export const partOfKey = (key: number): number => key % PARTS;
export const meterOfKey = (key: number): number => Math.floor(key / PARTS) % METERS;

/** Without names, which would take as long as finding the rows. */
type Row = readonly [
  packed: Uint8Array,
  firstChange: number | null,
  unsent: number | null,
  lastRegisterMs: number | null,
  upToSeq: number | null,
];

interface Register {
  readonly lastRegisterMs: number | null;
  readonly lastRegisterDwh: number | null;
}

const PART_OF: ReadonlyMap<DayColumn, number> = new Map(
  DAY_PARTS.flatMap((names, part) => names.map((name): [DayColumn, number] => [name, part])),
);

export function openDayRows(db: Connection, slotMs: number): DayRows {
  const shape = { slotMs, slotsPerDay: DAY_MS / slotMs };
  const { columns } = emptyDay(shape.slotsPerDay, new Int32Array(0));
  const parts = db
    .prepare<[number, number], Row>(
      `select packed, first_change, unsent, last_register_ms, up_to_seq
       from slot_day where id between ? and ? order by id`,
    )
    .raw();
  const ends = db.prepare<[], { first: number | null; last: number | null }>(
    'select (select min(id) from slot_day) as first, (select max(id) from slot_day) as last',
  );
  const register = db.prepare<[number], Register>(
    'select last_register_ms as lastRegisterMs, last_register_dwh as lastRegisterDwh from slot_day where id = ?',
  );

  return {
    shape,
    load(meter, day, through) {
      const last = through === undefined ? DAY_PARTS.length - 1 : (PART_OF.get(through) ?? 0);
      const rows = parts.all(dayKey(meter, day), dayKey(meter, day, last));
      if (rows[0] === undefined) return undefined;
      const [, firstChange, unsent, lastRegisterMs, upToSeq] = rows[0];
      const unpacked = unpackDay(
        rows.map(([packed]) => packed),
        shape,
        { through, into: columns },
      );
      return (
        unpacked && {
          ...unpacked,
          firstChange: firstChange ?? 0,
          hasRegister: lastRegisterMs !== null,
          isUnsent: unsent === 1,
          upToSeq: upToSeq ?? 0,
        }
      );
    },
    range() {
      const { first, last } = ends.get() ?? { first: null, last: null };
      return first === null || last === null ? undefined : { first: dayOfKey(first), last: dayOfKey(last) };
    },
    lastRegister(meter, day) {
      const row = register.get(dayKey(meter, day));
      if (row === undefined) return undefined;
      const { lastRegisterMs: atMs, lastRegisterDwh: dwh } = row;
      return atMs === null || dwh === null ? null : { atMs, dwh };
    },
  };
}
