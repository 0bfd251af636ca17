import { SLOT_MS } from '../domain/slot.js';
import type { Connection } from './buffer-file.js';
import type { MeterStates } from './meter-state.js';
import { addReading, emptyAccumulator, type Measured } from './slot-accumulator.js';
import { createClosing, type DueSlot, type OpenSlot } from './slot-closing.js';
import { openSlotRows } from './slot-rows.js';
import type { Transactions } from './transactions.js';

export interface LogRow extends Measured {
  readonly seq: number;
  readonly meter: number;
  readonly takenAtMs: number;
}

/**
 * The slots that are still gathering readings. Adding is idempotent by the moment of a reading, also against slots
 * that are stored, so that after a kill the end of the log is simply added again.
 */
export interface SlotBook {
  /** Everything of `add` that may fail; before the row is committed. */
  prepare(meter: number, takenAtMs: number): void;
  add(row: LogRow): void;
  /** Closes what ended before `endedMs`, and what lies so far ahead that a wrong clock made it, in one transaction. */
  close(endedMs: number, limit: number, aheadMs?: number): { readonly closed: number; readonly more: boolean };
  /** Rows from here on are needed when the file is opened again. */
  replayFrom(): number;
  /** Whether this slot is in memory: what the file has of it, or gets, is not the whole. */
  holds(meter: number, slotStartMs: number): boolean;
  /** Whether a reading of this moment is counted. */
  knows(meter: number, takenAtMs: number): boolean;
  /** Forgets slots that were only looked at. */
  dropUnchanged(): void;
  /** Forgets slots so far ahead that only a wrong clock can have made them; their end would be waited for in vain. */
  dropBeyond(ms: number): void;
  size(): number;
}

interface Parts {
  readonly transactions: Transactions;
  readonly states: MeterStates;
  readonly lastSeq: () => number;
}

const slotStartOf = (takenAtMs: number): number => Math.floor(takenAtMs / SLOT_MS) * SLOT_MS;

export function openSlotBook(db: Connection, { transactions, states, lastSeq }: Parts): SlotBook {
  const rows = openSlotRows(db);
  const open = new Map<number, Map<number, OpenSlot>>();

  function prepare(meter: number, takenAtMs: number): OpenSlot {
    const slotStartMs = slotStartOf(takenAtMs);
    let meters = open.get(slotStartMs);
    if (meters === undefined) {
      meters = new Map();
      open.set(slotStartMs, meters);
    }
    const known = meters.get(meter);
    if (known !== undefined) return known;
    const stored = slotStartMs <= states.newestSlotMs(meter) ? rows.load(meter, slotStartMs) : undefined;
    const slot = stored?.slot ?? emptyAccumulator();
    const fresh = { slot, stored: stored !== undefined, firstSeq: undefined };
    meters.set(meter, fresh);
    return fresh;
  }

  function due(endedMs: number, limit: number, aheadMs: number): { readonly take: DueSlot[]; readonly more: boolean } {
    const take: DueSlot[] = [];
    const isDue = (start: number): boolean => start + SLOT_MS <= endedMs || start > aheadMs;
    const starts = [...open.keys()].filter(isDue).sort((a, b) => a - b);
    for (const slotStartMs of starts) {
      for (const [meter, entry] of open.get(slotStartMs) ?? []) {
        if (take.length >= limit) return { take, more: true };
        take.push({ slotStartMs, meter, entry });
      }
    }
    return { take, more: false };
  }

  function forget({ slotStartMs, meter }: DueSlot): void {
    const meters = open.get(slotStartMs);
    meters?.delete(meter);
    if (meters?.size === 0) open.delete(slotStartMs);
  }

  function replayFrom(except: ReadonlySet<OpenSlot>): number {
    let first = lastSeq() + 1;
    for (const meters of open.values()) {
      for (const entry of meters.values()) {
        if (entry.firstSeq !== undefined && entry.firstSeq < first && !except.has(entry)) first = entry.firstSeq;
      }
    }
    return first;
  }

  return {
    prepare(meter, takenAtMs) {
      prepare(meter, takenAtMs);
    },
    add(row) {
      const entry = prepare(row.meter, row.takenAtMs);
      states.sawReading(row.meter, row.seq, row.takenAtMs);
      if (addReading(entry.slot, row.takenAtMs - slotStartOf(row.takenAtMs), row)) entry.firstSeq ??= row.seq;
    },
    close(endedMs, limit, aheadMs = Number.POSITIVE_INFINITY) {
      const { take, more } = due(endedMs, limit, aheadMs);
      const changed = take.filter(({ entry }) => entry.firstSeq !== undefined);
      if (changed.length === 0) {
        for (const slot of take) forget(slot);
        return { closed: 0, more };
      }
      const taken = new Set(take.map(({ entry }) => entry));
      const closing = createClosing({ rows, transactions, states });
      const waits = (meter: number, slotStartMs: number): boolean => {
        const entry = open.get(slotStartMs)?.get(meter);
        return entry?.firstSeq !== undefined;
      };
      transactions.run(() => {
        for (const slot of changed) closing.write(slot, waits);
        closing.finish();
        transactions.advance('replay', replayFrom(taken));
      });
      for (const [meter, slotStartMs] of closing.newest) states.sawSlot(meter, slotStartMs);
      for (const slot of take) forget(slot);
      return { closed: changed.length, more };
    },
    replayFrom: () => replayFrom(new Set()),
    knows(meter, takenAtMs) {
      const atMs = takenAtMs - slotStartOf(takenAtMs);
      return prepare(meter, takenAtMs).slot.times.includes(atMs);
    },
    holds: (meter, slotStartMs) => open.get(slotStartMs)?.has(meter) === true,
    dropUnchanged() {
      for (const [slotStartMs, meters] of open) {
        for (const [meter, entry] of meters) if (entry.firstSeq === undefined) meters.delete(meter);
        if (meters.size === 0) open.delete(slotStartMs);
      }
    },
    dropBeyond(ms) {
      for (const slotStartMs of open.keys()) if (slotStartMs > ms) open.delete(slotStartMs);
    },
    size() {
      let size = 0;
      for (const meters of open.values()) size += meters.size;
      return size;
    },
  };
}
