import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { type Address, FLOAT_BYTES, type Layout, type Machine, ROWS } from '../engine/machine.js';
import { createRoom, pastSlots, type Room, WEEK_DAYS } from '../window/slot-windows.js';
import type { History } from './history.js';

/** Where a history stands in the memory of the kernels. */
export interface Placed {
  readonly room: Room;
  readonly past: Address;
  readonly window: Address;
  /** From the slot a week before the first that is forecast. */
  readonly week: Address;
  readonly median: Address;
  readonly spread: Address;
}

export interface HistoryRooms {
  /** What is written into one of them is read where it stands. */
  readonly rooms: readonly Room[];
  /** Of any history; what stands elsewhere is copied, to a place for each row. */
  place(history: History, row: number): Placed;
}

/** As many as are forecast together. */
const ROOMS = 64;

/** Rooms for the histories of meters in the memory of the kernels; opened when that is built. */
export function layRooms(layout: Layout, perDay: number) {
  const remembered = pastSlots(perDay);
  const slots = remembered + WINDOW_SLOTS;
  const places = Array.from({ length: ROOMS + ROWS }, () => ({
    slots: layout.room(slots),
    profile: layout.room(2 * perDay),
  }));

  return ({ floats }: Machine): HistoryRooms => {
    const all = places.map(
      (at): Placed => ({
        room: createRoom(perDay, floats(at.slots, slots), floats(at.profile, 2 * perDay)),
        past: at.slots,
        window: at.slots + remembered * FLOAT_BYTES,
        week: at.slots + (slots - WEEK_DAYS * perDay) * FLOAT_BYTES,
        median: at.profile,
        spread: at.profile + perDay * FLOAT_BYTES,
      }),
    );
    const [given, copied] = [all.slice(0, ROOMS), all.slice(ROOMS)];
    const written = new Map(given.map((placed) => [placed.room.values, placed]));
    return {
      rooms: given.map(({ room }) => room),
      place(history, row) {
        const placed = written.get(history.window.values);
        if (placed !== undefined && isWhollyIn(placed.room, history)) return placed;
        const copy = copied[row] as Placed;
        copyInto(copy.room, history);
        return copy;
      },
    };
  };
}

const isWhollyIn = ({ past, profileMedian, profileSpread }: Room, history: History): boolean =>
  history.past === past && history.profileMedian === profileMedian && history.profileSpread === profileSpread;

function copyInto(room: Room, { window, past, profileMedian, profileSpread }: History): void {
  room.values.set(window.values);
  layBefore(past, room.past);
  lay(profileMedian, room.profileMedian);
  lay(profileSpread, room.profileSpread);
}

/** What a history does not say is missing. */
function lay(values: Float32Array | undefined, to: Float32Array): void {
  if (values === undefined) to.fill(Number.NaN);
  else if (values.length >= to.length) to.set(values.length === to.length ? values : values.subarray(0, to.length));
  else {
    to.set(values);
    to.fill(Number.NaN, values.length);
  }
}

/** Up to the window's beginning: of a shorter past the oldest slots are missing. */
function layBefore(values: Float32Array | undefined, to: Float32Array): void {
  const known = values === undefined ? 0 : Math.min(values.length, to.length);
  to.fill(Number.NaN, 0, to.length - known);
  if (values !== undefined) to.set(values.length === known ? values : values.subarray(-known), to.length - known);
}
