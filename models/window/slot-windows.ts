import { type EpochMs, epochMs, type MeterId } from '../../agent/domain/brand.js';
import { DAY_MS, SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createMeterArena } from './meter-arena.js';
import type { SeasonalProfile } from './seasonal-profile.js';

/** The last day of one meter (at five minutes), oldest slot first. */
export interface SlotWindow {
  /** End of the newest slot, which is the start of the first slot to be forecast. */
  readonly endMs: EpochMs;
  /** Mean power in watts of WINDOW_SLOTS slots; NaN where a slot is missing. */
  readonly values: Float32Array;
}

/** All that a model sees of one meter, at one moment. */
export interface MeterHistory {
  readonly window: SlotWindow;
  /** Mean power in watts of the slots before the window, as many as `pastSlots` says, oldest first; NaN where one is missing. */
  readonly past: Float32Array;
  /** By slot of the UTC day, over the last 28 whole days. */
  readonly profileMedian: Float32Array;
  readonly profileSpread: Float32Array;
}

/** What a history is written into; the next one that is written into it takes its place. */
export interface Room {
  /** The past and right after it the window. */
  readonly slots: Float32Array;
  readonly past: Float32Array;
  readonly values: Float32Array;
  /** Median and right after it spread. */
  readonly profile: Float32Array;
  readonly profileMedian: Float32Array;
  readonly profileSpread: Float32Array;
}

interface HistoryOptions {
  readonly endMs?: EpochMs | undefined;
  readonly room?: Room | undefined;
}

/** The memory of all meters of a gateway; how many there are is bounded by the registry of meters. */
export interface SlotWindows {
  readonly slotMs: number;
  /** How far back the memory of slots reaches. */
  readonly days: number;
  /** In any order, and again when a slot is revised; what has left the memory of eight days is ignored. */
  put(meter: MeterId, slotStartMs: EpochMs, meanPowerW: number): void;
  /** What is usual for this meter; stands until it is put again. */
  putProfile(meter: MeterId, profile: SeasonalProfile): void;
  /**
   * A copy that later puts do not change, ending with the newest slot or at `endMs`; undefined where no such slot is
   * (any more). What has left the memory is missing in it.
   */
  get(meter: MeterId, endMs?: EpochMs): SlotWindow | undefined;
  /** As `get`, with what is remembered of the week and the month before; in room of its own unless some is given. */
  history(meter: MeterId, options?: HistoryOptions): MeterHistory | undefined;
  /** Mean power of so many slots; NaN unless half of them are remembered. */
  mean(meter: MeterId, fromMs: EpochMs, slots: number): number;
  meters(): Iterable<MeterId>;
  readonly size: number;
  /** What the memory of all meters takes; at five minutes 11,520 bytes for each. */
  readonly bytes: number;
}

export const WEEK_DAYS = 7;

/** How many slots before its window a model may see of a meter: with the window a week, and a day or more before that. */
export const pastSlots = (slotsPerDay: number): number => Math.max(WEEK_DAYS * slotsPerDay, WINDOW_SLOTS);

/** Of arrays that lie elsewhere, or of its own. */
export function createRoom(
  slotsPerDay: number,
  slots: Float32Array = new Float32Array(pastSlots(slotsPerDay) + WINDOW_SLOTS),
  profile: Float32Array = new Float32Array(2 * slotsPerDay),
): Room {
  return {
    slots,
    past: slots.subarray(0, -WINDOW_SLOTS),
    values: slots.subarray(-WINDOW_SLOTS),
    profile,
    profileMedian: profile.subarray(0, slotsPerDay),
    profileSpread: profile.subarray(slotsPerDay),
  };
}

interface Memory {
  newest: number;
  /** The ring, where slot number n (since 1970) stands at n modulo its length, then median and spread of the profile. */
  readonly block: Float32Array;
}

export function createSlotWindows(slotMs: number = SLOT_MS): SlotWindows {
  const slotsPerDay = DAY_MS / slotMs;
  // A meter's backlog of a window, sent after its live reading, still finds the window and the week before it.
  const ringSlots = pastSlots(slotsPerDay) + WINDOW_SLOTS;
  const memories = new Map<MeterId, Memory>();
  const medianFrom = ringSlots;
  const spreadFrom = medianFrom + slotsPerDay;
  const arena = createMeterArena(spreadFrom + slotsPerDay);
  const slotAt = (ms: EpochMs): number => Math.floor(ms / slotMs);

  function remember(meter: MeterId, newest: number): Memory {
    const memory = { newest, block: arena.add() };
    memories.set(meter, memory);
    return memory;
  }

  function advance(memory: Memory, to: number): void {
    const skipped = to - memory.newest;
    if (skipped > ringSlots) memory.block.fill(Number.NaN, 0, ringSlots);
    else for (let slot = memory.newest + 1; slot <= to; slot++) memory.block[slot % ringSlots] = Number.NaN;
    memory.newest = to;
  }

  const holds = ({ newest, block }: Memory, slot: number): boolean =>
    slot <= newest && slot > newest - ringSlots && !Number.isNaN(block[slot % ringSlots]);

  /** As many slots from `from` on as `values` has room for, as far as they are remembered. */
  function copy({ newest, block }: Memory, from: number, values: Float32Array): void {
    const first = Math.max(from, newest - ringSlots + 1, 0);
    const end = from + values.length;
    if (first > from) values.fill(Number.NaN);
    if (first >= end) return;
    const start = first % ringSlots;
    const stop = start + end - first;
    values.set(block.subarray(start, Math.min(stop, ringSlots)), first - from);
    // What is left stands at the beginning of the ring again.
    if (stop > ringSlots) values.set(block.subarray(0, stop - ringSlots), first - from + ringSlots - start);
  }

  const endOf = (last: number): EpochMs => epochMs((last + 1) * slotMs);

  function ending(meter: MeterId, endMs: EpochMs | undefined): { memory: Memory; last: number } | undefined {
    const memory = memories.get(meter);
    if (memory === undefined) return undefined;
    const last = endMs === undefined ? memory.newest : slotAt(endMs) - 1;
    return holds(memory, last) ? { memory, last } : undefined;
  }

  return {
    slotMs,
    days: ringSlots / slotsPerDay,
    put(meter, slotStartMs, meanPowerW) {
      const slot = slotAt(slotStartMs);
      if (!Number.isFinite(meanPowerW) || !(slot >= 0)) return;
      const memory = memories.get(meter) ?? remember(meter, slot);
      if (slot <= memory.newest - ringSlots) return;
      if (slot > memory.newest) advance(memory, slot);
      memory.block[slot % ringSlots] = meanPowerW;
    },
    putProfile(meter, { median, spread }) {
      const memory = memories.get(meter);
      memory?.block.set(median, medianFrom);
      memory?.block.set(spread, spreadFrom);
    },
    get(meter, endMs) {
      const found = ending(meter, endMs);
      if (found === undefined) return undefined;
      const { memory, last } = found;
      const values = new Float32Array(WINDOW_SLOTS);
      copy(memory, last + 1 - values.length, values);
      return { endMs: endOf(last), values };
    },
    history(meter, { endMs, room: given } = {}) {
      const found = ending(meter, endMs);
      if (found === undefined) return undefined;
      const { memory, last } = found;
      const room = given ?? createRoom(slotsPerDay);
      copy(memory, last + 1 - room.slots.length, room.slots);
      room.profile.set(memory.block.subarray(medianFrom));
      const { values, past, profileMedian, profileSpread } = room;
      return { window: { endMs: endOf(last), values }, past, profileMedian, profileSpread };
    },
    mean(meter, fromMs, slots) {
      const memory = memories.get(meter);
      if (memory === undefined) return Number.NaN;
      const first = slotAt(fromMs);
      let sum = 0;
      let known = 0;
      for (let slot = first; slot < first + slots; slot++) {
        if (!holds(memory, slot)) continue;
        sum += memory.block[slot % ringSlots] as number;
        known += 1;
      }
      return known * 2 >= slots ? sum / known : Number.NaN;
    },
    meters: () => memories.keys(),
    get size() {
      return memories.size;
    },
    get bytes() {
      return arena.bytes;
    },
  };
}

/** Whether so many slots are not missing: nearly always known after as many. */
export function knowsAtLeast({ values }: SlotWindow, slots: number): boolean {
  let known = 0;
  for (let slot = 0; slot < values.length && known < slots; slot++) if (!Number.isNaN(values[slot])) known += 1;
  return known >= slots;
}
