import { SLOT_MS } from '../domain/slot.js';
import type { MeterStates } from './meter-state.js';
import { type Accumulator, type Carried, carriedFrom, type SlotValues, valuesOf } from './slot-accumulator.js';
import type { SlotRows } from './slot-rows.js';
import type { Transactions } from './transactions.js';

export interface OpenSlot {
  readonly slot: Accumulator;
  readonly stored: boolean;
  /** The first row of the log that the file's slot lacks; undefined while there is none. */
  firstSeq: number | undefined;
}

export interface DueSlot {
  readonly slotStartMs: number;
  readonly meter: number;
  readonly entry: OpenSlot;
}

/** Writes closed slots within one transaction; changes nothing in memory, so that a rollback has nothing to undo. */
export interface Closing {
  readonly newest: ReadonlyMap<number, number>;
  /** Ascending by slot. `waits`: this slot is going to be written anyway, by this transaction or a later one. */
  write(due: DueSlot, waits: (meter: number, slotStartMs: number) => boolean): void;
  finish(): void;
}

interface Parts {
  readonly rows: SlotRows;
  readonly transactions: Transactions;
  readonly states: MeterStates;
}

export function createClosing({ rows, transactions, states }: Parts): Closing {
  const newest = new Map<number, number>();
  const ends = new Map<number, { readonly slotStartMs: number; readonly carried: Carried | null }>();
  let inserted = 0;

  function carriedInto(meter: number, slotStartMs: number): Carried | null {
    const before = slotStartMs - SLOT_MS;
    const end = ends.get(meter);
    if (end?.slotStartMs === before) return end.carried;
    if (before > states.newestSlotMs(meter)) return null;
    const stored = rows.load(meter, before);
    return stored === undefined ? null : carriedFrom(stored.slot);
  }

  /** The energy of a slot depends on how the one before ended; nothing further depends on it. */
  function reviseNext(meter: number, slotStartMs: number, carried: Carried | null): void {
    const stored = slotStartMs <= states.newestSlotMs(meter) ? rows.load(meter, slotStartMs) : undefined;
    if (stored === undefined) return;
    const values = valuesOf(stored.slot, carried);
    if (same(values, stored.values)) return;
    rows.update({ meter, slotStartMs, changeSeq: transactions.nextChange() }, { values, slot: stored.slot });
  }

  return {
    newest,
    write({ meter, slotStartMs, entry: { slot, stored } }, waits) {
      const values = valuesOf(slot, carriedInto(meter, slotStartMs));
      const at = { meter, slotStartMs, changeSeq: transactions.nextChange() };
      if (stored) {
        rows.update(at, { values, slot });
      } else {
        rows.insert(at, { values, slot });
        inserted += 1;
      }
      newest.set(meter, Math.max(slotStartMs, newest.get(meter) ?? 0));
      const carried = carriedFrom(slot);
      ends.set(meter, { slotStartMs, carried });
      const next = slotStartMs + SLOT_MS;
      if (!waits(meter, next)) reviseNext(meter, next, carried);
    },
    finish() {
      for (const [meter, slotStartMs] of newest) states.save(meter, slotStartMs);
      transactions.count('slots', inserted);
    },
  };
}

function same(a: SlotValues, b: SlotValues): boolean {
  return (
    a.energyMwh === b.energyMwh &&
    a.meanPowerDw === b.meanPowerDw &&
    a.minPowerDw === b.minPowerDw &&
    a.maxPowerDw === b.maxPowerDw &&
    a.coveragePm === b.coveragePm
  );
}
