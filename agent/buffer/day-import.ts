import type { MeterId } from '../domain/brand.js';
import type { Meter } from '../domain/meter.js';
import { DAY_MS, type SlotMinutes } from '../domain/slot.js';
import { closeForWriting, logIdOf, openForWriting } from './buffer-file.js';
import { DAY_COLUMNS, type DayColumn, emptyDay, packDay } from './day-packing.js';
import { dayKey } from './day-rows.js';
import { openMeterBook } from './meter-book.js';
import { openMeterStates } from './meter-state.js';
import { NULL } from './slot-column.js';
import { claimSlotWidth } from './slot-width.js';
import { createTransactions } from './transactions.js';
import { takeWriterLock } from './writer-lock.js';

type Measured = Exclude<DayColumn, 'model' | 'rawScoreE4' | 'scoreE4' | 'revision'>;

/** A finished UTC day of one meter, slot by slot without a gap; in the units of stored slots. */
export interface FinishedDay {
  readonly meter: MeterId;
  readonly dayStartMs: number;
  readonly columns: Readonly<Record<Measured, Float64Array>>;
  /** Where the import register stood at the end of it. */
  readonly registerDwh: number;
}

/** Puts history into a buffer that no gateway has open, as packed days, with neither readings nor scores behind them. */
export interface DayImport {
  register(meters: readonly Meter[]): void;
  /** All of them or none; best with all meters of one day together, in the order in which they were registered. */
  write(days: readonly FinishedDay[]): void;
  close(): void;
}

export function openDayImport(path: string, slotMinutes: SlotMinutes): DayImport {
  const lock = takeWriterLock(path);
  try {
    const db = openForWriting(path);
    claimSlotWidth(db, slotMinutes);
    const transactions = createTransactions(db, logIdOf(db));
    const meters = openMeterBook(db, transactions, new Map());
    const states = openMeterStates(db);
    const put = db.prepare(
      `insert into slot_day (id, packed, first_change, last_register_ms, last_register_dwh) values (?, ?, ?, ?, ?)`,
    );
    const slotMs = slotMinutes * 60_000;
    const slotsPerDay = DAY_MS / slotMs;
    const everyPlace = Int32Array.from({ length: slotsPerDay }, (_, place) => place);

    function writeOne({ meter, dayStartMs, columns, registerDwh }: FinishedDay): void {
      const key = meters.keyOf(meter);
      const day = emptyDay(slotsPerDay, everyPlace);
      const given: Partial<Record<DayColumn, Float64Array>> = columns;
      for (const name of DAY_COLUMNS) {
        const values = given[name];
        if (values !== undefined) day.columns[name].set(values);
        else if (name !== 'revision') day.columns[name].fill(NULL);
      }
      packDay(day, { slotMs, slotsPerDay }).forEach((packed, part) => {
        const head =
          part === 0 ? [transactions.lastChange(), dayStartMs + DAY_MS - 1, registerDwh] : [null, null, null];
        put.run(dayKey(key, dayStartMs / DAY_MS, part), packed, ...head);
      });
      const slotStartMs = dayStartMs + DAY_MS - slotMs;
      states.save(key, { slotStartMs, registerMs: slotStartMs });
      transactions.count('slots', slotsPerDay);
      transactions.count('packed', slotsPerDay);
    }

    return {
      register: (all) => transactions.run(() => meters.register(all)),
      write(days) {
        transactions.run(() => {
          for (const day of days) writeOne(day);
        });
        // Nobody else does it here, and the WAL would grow to the size of all that is put in.
        db.pragma('wal_checkpoint(TRUNCATE)');
      },
      close() {
        if (!db.open) return;
        closeForWriting(db);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
