import type { Connection } from './buffer-file.js';
import type { MeterStates } from './meter-state.js';
import { countedBy } from './register-counted.js';
import { type Accumulator, addReading, emptyAccumulator, type Measured } from './slot-accumulator.js';
import { createClosing, type DueSlot, type End, type OpenSlot } from './slot-closing.js';
import { type DayGuards, openSlotDays, type SlotDays } from './slot-days.js';
import { createNeighbours } from './slot-neighbours.js';
import { openSlotRows } from './slot-rows.js';
import { FULLY_COVERED_PM, type SealedSlot } from './slot-sealed.js';
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
  /** Everything of `add` that may fail; before the row is committed. `add` takes it at once, and need not look again. */
  prepare(row: LogRow): OpenSlot;
  add(row: LogRow, slot?: OpenSlot): void;
  /** Closes what ended before `nowMs` and a grace, oldest first, in one transaction. */
  close(nowMs: number, limit: number): { readonly closed: number; readonly more: boolean };
  /** The finished days. */
  readonly days: SlotDays;
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
  readonly slotMs: number;
  readonly transactions: Transactions;
  readonly states: MeterStates;
  readonly lastSeq: () => number;
  /** How long a slot of this meter waits after its end for a reading that is on its way. */
  readonly graceMs: (meter: number) => number;
  readonly registerMaxDwh: (meter: number) => number | undefined;
  /** What has seen a slot may be packed. */
  readonly waitsFor: { readonly centre: boolean; readonly models: boolean };
}

export function openSlotBook(db: Connection, parts: Parts): SlotBook {
  const { slotMs, transactions, states, lastSeq, graceMs, registerMaxDwh, waitsFor } = parts;
  const rows = openSlotRows(db);
  const open = new Map<number, Map<number, OpenSlot>>();
  const ends = new Map<number, End>();
  const days = openSlotDays(db, { slotMs, transactions, guards, lastSeq });
  const slotStartOf = (takenAtMs: number): number => Math.floor(takenAtMs / slotMs) * slotMs;

  function prepare({ meter, takenAtMs }: Pick<LogRow, 'meter' | 'takenAtMs'>): OpenSlot {
    const slotStartMs = slotStartOf(takenAtMs);
    let meters = open.get(slotStartMs);
    if (meters === undefined) {
      meters = new Map();
      open.set(slotStartMs, meters);
    }
    const known = meters.get(meter);
    if (known !== undefined) return known;
    const inFile = slotStartMs <= states.newestOf(meter).slotStartMs;
    const stored = inFile ? rows.load(meter, slotStartMs) : undefined;
    const fresh = {
      slot: stored?.slot ?? emptyAccumulator(),
      stored: stored !== undefined,
      sealed: inFile ? days.slotOf(meter, slotStartMs) : undefined,
      firstSeq: undefined,
    };
    meters.set(meter, fresh);
    return fresh;
  }

  function due(nowMs: number, limit: number): { readonly take: DueSlot[]; readonly more: boolean } {
    const take: DueSlot[] = [];
    const starts = [...open.keys()].filter((start) => start + slotMs <= nowMs).sort((a, b) => a - b);
    for (const slotStartMs of starts) {
      for (const [meter, entry] of open.get(slotStartMs) ?? []) {
        if (slotStartMs + slotMs + graceMs(meter) > nowMs) continue;
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

  function guards(): DayGuards {
    // As the stored slots have it.
    const near = createNeighbours({
      slotMs,
      rows,
      open: () => undefined,
      sealed: days.lastRegister,
      newestOf: states.newestOf,
    });
    const settled = waitsFor.centre ? transactions.position('settled:slot') : Number.POSITIVE_INFINITY;
    const analysed = waitsFor.models ? transactions.position('analysed') : Number.POSITIVE_INFINITY;
    return {
      isUnsent: !waitsFor.centre,
      isDone: ({ changeSeq, dataSeq }: { readonly changeSeq: number; readonly dataSeq: number }) =>
        changeSeq <= settled && dataSeq <= analysed,
      isOpen(meter: number, fromMs: number, toMs: number) {
        for (let start = fromMs; start < toMs; start += slotMs) if (open.get(start)?.has(meter) === true) return true;
        return false;
      },
      counted: (meter, dayStartMs) => countedBy(near, { meter, dayStartMs, registerMaxDwh: registerMaxDwh(meter) }),
      onPacked: (meter: number) => void ends.delete(meter),
    };
  }

  /** Readings that the file's slot lacks. */
  function unwritten(meter: number, slotStartMs: number): Accumulator | undefined {
    const entry = open.get(slotStartMs)?.get(meter);
    return entry?.firstSeq === undefined || entry.sealed !== undefined ? undefined : entry.slot;
  }

  return {
    prepare,
    add(row, entry = prepare(row)) {
      states.sawReading(row.meter, row.seq, row.takenAtMs);
      if (entry.sealed !== undefined && isCounted(row, entry.sealed)) return;
      // What the register counted in a packed slot stays as it is.
      const measured = entry.sealed === undefined ? row : { ...row, importDwh: null };
      if (addReading(entry.slot, row.takenAtMs - slotStartOf(row.takenAtMs), measured)) entry.firstSeq ??= row.seq;
    },
    close(nowMs, limit) {
      const { take, more } = due(nowMs, limit);
      const changed = take.filter(({ entry }) => entry.firstSeq !== undefined);
      if (changed.length === 0) {
        for (const slot of take) forget(slot);
        return { closed: 0, more };
      }
      const taken = new Set(take.map(({ entry }) => entry));
      const closing = createClosing({
        slotMs,
        rows,
        transactions,
        ends,
        registerMaxDwh,
        open: unwritten,
        sealed: days.lastRegister,
        isPacked: (meter, slotStartMs) => days.slotOf(meter, slotStartMs) !== undefined,
        newestOf: states.newestOf,
        save: states.save,
      });
      transactions.run(() => {
        for (const slot of changed) closing.write(slot);
        closing.finish();
        transactions.advance('replay', replayFrom(taken));
      });
      for (const [meter, newest] of closing.newest) states.sawSlot(meter, newest);
      for (const [meter, end] of closing.ends) {
        if (end === undefined) ends.delete(meter);
        else ends.set(meter, end);
      }
      for (const slot of take) forget(slot);
      return { closed: changed.length, more };
    },
    days,
    replayFrom: () => replayFrom(new Set()),
    knows(meter, takenAtMs) {
      const { slot, sealed } = prepare({ meter, takenAtMs });
      // Of a packed slot it is not known which moments it counted.
      return (sealed?.count ?? 0) > 0 || slot.times.includes(takenAtMs - slotStartOf(takenAtMs));
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

/** The end of the log is added again after a stop. */
const isCounted = ({ seq }: LogRow, { coveragePm, upToSeq }: SealedSlot): boolean =>
  coveragePm >= FULLY_COVERED_PM || seq <= upToSeq;
