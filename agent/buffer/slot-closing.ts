import { lastOf, pointAt } from './register-points.js';
import { type Accumulator, type Around, emptyAccumulator, type SlotValues, valuesOf } from './slot-accumulator.js';
import { isFar, type Neighbour, raise, stepOf } from './slot-energy.js';
import { createNeighbours, type Found, foundIn, type Newest, type Sealed } from './slot-neighbours.js';
import type { SlotRows } from './slot-rows.js';
import { mergeSealed, type SealedSlot } from './slot-sealed.js';
import type { Transactions } from './transactions.js';

export interface OpenSlot {
  readonly slot: Accumulator;
  readonly stored: boolean;
  /** What the slot was when its day was packed; `slot` then has only what came later. */
  readonly sealed: SealedSlot | undefined;
  /** The first row of the log that the file's slot lacks; undefined while there is none. */
  firstSeq: number | undefined;
}

export interface DueSlot {
  readonly slotStartMs: number;
  readonly meter: number;
  readonly entry: OpenSlot;
}

/** How the slots of one meter in the file end. */
export interface End {
  readonly slotStartMs: number;
  /** Moment of the last reading in that slot; null when nothing was heard in it. */
  readonly lastAtMs: number | null;
  /** The newest slot with a register, and the reading behind it that its energy reckons with. */
  readonly register: (Found & { readonly afterAtMs: number | null }) | null;
}

/** Writes closed slots within one transaction; changes nothing in memory, so that a rollback has nothing to undo. */
export interface Closing {
  /** Of each meter that was written to; undefined: to be read from the file. */
  readonly ends: ReadonlyMap<number, End | undefined>;
  readonly newest: ReadonlyMap<number, Newest>;
  /** Ascending by slot. */
  write(due: DueSlot): void;
  finish(): void;
}

interface Parts {
  readonly slotMs: number;
  readonly rows: SlotRows;
  readonly transactions: Transactions;
  /** Readings of the slot that are not in the file yet. */
  readonly open: (meter: number, slotStartMs: number) => Accumulator | undefined;
  readonly sealed: Sealed;
  readonly isPacked: (meter: number, slotStartMs: number) => boolean;
  readonly ends: ReadonlyMap<number, End>;
  /** As the file had it before. */
  readonly newestOf: (meter: number) => Newest;
  readonly registerMaxDwh: (meter: number) => number | undefined;
  readonly save: (meter: number, newest: Newest) => void;
}

export function createClosing(parts: Parts): Closing {
  const { slotMs, rows, transactions, open, sealed } = parts;
  const newest = new Map<number, Newest>();
  const ends = new Map<number, End | undefined>();
  let inserted = 0;

  const newestOf = (meter: number): Newest => newest.get(meter) ?? parts.newestOf(meter);
  const neighbours = createNeighbours({ slotMs, rows, open, sealed, newestOf });
  /** This slot is written by this transaction or a later one, with all that is known by then. */
  const waits = (meter: number, slotStartMs: number): boolean => open(meter, slotStartMs) !== undefined;

  function endBefore(meter: number, next: number): End {
    const known = ends.get(meter) ?? (ends.has(meter) ? undefined : parts.ends.get(meter));
    if (known !== undefined) return known;
    const { slotStartMs } = newestOf(meter);
    const register = neighbours.before(meter, next);
    return {
      slotStartMs,
      lastAtMs: lastAtMs(meter, slotStartMs),
      // Which reading behind it was reckoned with is not known: it is looked at again.
      register: register === null ? null : endingAt(register, null),
    };
  }

  function lastAtMs(meter: number, slotStartMs: number): number | null {
    const last = rows.load(meter, slotStartMs)?.slot.times.at(-1);
    return last === undefined ? null : slotStartMs + last;
  }

  function around(
    { meter, slotStartMs }: Pick<DueSlot, 'meter' | 'slotStartMs'>,
    last: number | null,
    [before, after]: readonly [Found | null, Found | null],
  ): Around {
    return {
      slotMs,
      lastMs: last === null ? null : last - slotStartMs,
      before: relative(before, slotStartMs),
      after: relative(after, slotStartMs),
      registerMaxDwh: parts.registerMaxDwh(meter),
    };
  }

  /** A slot that nothing was added to, but around which something has changed. */
  function refresh(meter: number, slotStartMs: number, near?: readonly [Found | null, Found | null]): void {
    if (slotStartMs > newestOf(meter).slotStartMs || waits(meter, slotStartMs)) return;
    const stored = rows.load(meter, slotStartMs);
    if (stored === undefined || stored.slot.times.length < stored.values.count) return; // or made of a packed slot
    const between = near ?? [neighbours.before(meter, slotStartMs), neighbours.after(meter, slotStartMs)];
    if (between[1]?.point.sealed === true) return;
    const values = valuesOf(
      stored.slot,
      around({ meter, slotStartMs }, lastAtMs(meter, slotStartMs - slotMs), between),
    );
    if (same(values, stored.values)) return;
    const at = { meter, slotStartMs, changeSeq: transactions.nextChange() };
    rows.update(at, { values, slot: stored.slot }, looksDifferent(values, stored.values));
  }

  /** What the register counted in a gap is given to the slots of the gap, so that each day has what flowed in it. */
  function fill(meter: number, from: Found, to: Found): void {
    const spans =
      !to.point.sealed &&
      !isFar(from.point, to.point) &&
      stepOf(from.point, to.point, parts.registerMaxDwh(meter)) !== null;
    for (let slotStartMs = from.slotStartMs + slotMs; slotStartMs < to.slotStartMs; slotStartMs += slotMs) {
      if (waits(meter, slotStartMs) || parts.isPacked(meter, slotStartMs)) continue;
      const exists = slotStartMs <= newestOf(meter).slotStartMs && rows.load(meter, slotStartMs) !== undefined;
      if (exists) refresh(meter, slotStartMs, [from, to]);
      else if (spans) {
        const slot = emptyAccumulator();
        const values = valuesOf(slot, around({ meter, slotStartMs }, null, [from, to]));
        rows.insert({ meter, slotStartMs, changeSeq: transactions.nextChange() }, { values, slot }, 1);
        inserted += 1;
      }
    }
  }

  /** What the register counted here stands here or elsewhere for good. */
  function energyOf({ meter, slotStartMs, entry }: DueSlot): number {
    return entry.stored ? (rows.load(meter, slotStartMs)?.values.energyMwh ?? 0) : 0;
  }

  function store(due: DueSlot, values: SlotValues): void {
    const { meter, slotStartMs, entry } = due;
    const { slot, stored, sealed } = entry;
    const at = { meter, slotStartMs, changeSeq: transactions.nextChange() };
    if (stored) rows.update(at, { values, slot }, true);
    else {
      rows.insert(at, { values, slot }, (sealed?.revision ?? 0) + 1);
      if (sealed === undefined) inserted += 1;
    }
  }

  function write(due: DueSlot): void {
    const { meter, slotStartMs, entry } = due;
    const known = newestOf(meter);
    if (entry.sealed !== undefined) {
      store(due, mergeSealed(entry.sealed, entry.slot, slotMs));
      return;
    }
    const isNewest = slotStartMs > known.slotStartMs;
    const end = isNewest ? endBefore(meter, slotStartMs) : undefined;
    const before = end === undefined ? neighbours.before(meter, slotStartMs) : end.register;
    const after = neighbours.after(meter, slotStartMs);
    const previous = slotStartMs - slotMs;
    const last = end?.slotStartMs === previous ? end.lastAtMs : lastAtMs(meter, previous);
    const between = around(due, last, [before, after]);
    // In memory too, where it does no harm when this is rolled back: it comes to the same again.
    raise(entry.slot.registers, between.before, between.after);
    const values = valuesOf(entry.slot, between);
    store(due, after?.point.sealed === true ? { ...values, energyMwh: energyOf(due) } : values);

    const first = pointAt(entry.slot.registers, 0);
    const hasRegister = first !== undefined;
    newest.set(meter, {
      slotStartMs: Math.max(slotStartMs, known.slotStartMs),
      registerMs: hasRegister ? Math.max(slotStartMs, known.registerMs) : known.registerMs,
    });
    if (first !== undefined && after?.point.sealed !== true) {
      const here = foundIn(slotStartMs, first);
      if (before !== null) {
        fill(meter, before, here);
        if (end?.register?.afterAtMs !== here.point.atMs && !before.point.sealed) refresh(meter, before.slotStartMs);
      }
      if (after !== null && !waits(meter, after.slotStartMs)) {
        fill(meter, foundIn(slotStartMs, lastOf(entry.slot.registers) ?? first), after);
        refresh(meter, after.slotStartMs);
      }
    }
    // Its coverage begins where this one ended.
    const next = slotStartMs + slotMs;
    if (!isNewest && !(hasRegister && after?.slotStartMs === next)) refresh(meter, next);
    ends.set(meter, isNewest ? endWith(due, end, after) : undefined);
  }

  function endWith({ slotStartMs, entry }: DueSlot, end: End | undefined, after: Found | null): End {
    const last = entry.slot.times.at(-1);
    const register = lastOf(entry.slot.registers);
    return {
      slotStartMs,
      lastAtMs: last === undefined ? null : slotStartMs + last,
      register:
        register === undefined
          ? (end?.register ?? null)
          : endingAt(foundIn(slotStartMs, register), after?.point.atMs ?? null),
    };
  }

  return {
    ends,
    newest,
    write,
    finish() {
      for (const [meter, one] of newest) parts.save(meter, one);
      transactions.count('slots', inserted);
    },
  };
}

const endingAt = ({ slotStartMs, point }: Found, afterAtMs: number | null) => ({ slotStartMs, point, afterAtMs });

const relative = (found: Found | null, slotStartMs: number): Neighbour | null =>
  found === null ? null : { ...found.point, atMs: found.point.atMs - slotStartMs };

/** What the models look at; energy that was found later is pushed again, but is no reason to analyse again. */
const looksDifferent = (a: SlotValues, b: SlotValues): boolean =>
  a.meanPowerDw !== b.meanPowerDw || a.minPowerDw !== b.minPowerDw || a.maxPowerDw !== b.maxPowerDw;

const same = (a: SlotValues, b: SlotValues): boolean =>
  !looksDifferent(a, b) && a.energyMwh === b.energyMwh && a.coveragePm === b.coveragePm && a.flags === b.flags;
