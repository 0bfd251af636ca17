import { type EpochMs, epochMs, type MeterId } from '../../agent/domain/brand.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';

/** The last day of one meter, oldest slot first. */
export interface SlotWindow {
  /** End of the newest slot, which is the start of the first slot to be forecast. */
  readonly endMs: EpochMs;
  /** Mean power in watts of WINDOW_SLOTS slots; NaN where a slot is missing. */
  readonly values: Float32Array;
  /** How many of them are not missing. */
  readonly present: number;
}

/** The windows of all meters of a gateway; how many there are is bounded by the registry of meters. */
export interface SlotWindows {
  /** In any order, and again when a slot is revised; what is older than RING_SLOTS is ignored. */
  put(meter: MeterId, slotStartMs: EpochMs, meanPowerW: number): void;
  /**
   * A copy that later puts do not change, ending with the newest slot or at `endMs`; undefined where no such slot is
   * (any more). What has left the ring is missing in it.
   */
  get(meter: MeterId, endMs?: EpochMs): SlotWindow | undefined;
  meters(): Iterable<MeterId>;
  readonly size: number;
}

/** Twice a window, so that a meter's backlog of a day, sent after its live reading, still finds the day before it. */
const RING_SLOTS = 2 * WINDOW_SLOTS;

/** Slot number n (since 1970) stands at n modulo RING_SLOTS. */
interface Ring {
  newest: number;
  readonly values: Float32Array;
}

export function createSlotWindows(): SlotWindows {
  const rings = new Map<MeterId, Ring>();

  function advance(ring: Ring, to: number): void {
    const skipped = to - ring.newest;
    if (skipped > RING_SLOTS) ring.values.fill(Number.NaN);
    else for (let slot = ring.newest + 1; slot <= to; slot++) ring.values[slot % RING_SLOTS] = Number.NaN;
    ring.newest = to;
  }

  return {
    put(meter, slotStartMs, meanPowerW) {
      const slot = slotAt(slotStartMs);
      if (!Number.isFinite(meanPowerW) || !(slot >= 0)) return;
      let ring = rings.get(meter);
      if (ring === undefined) {
        ring = { newest: slot, values: new Float32Array(RING_SLOTS).fill(Number.NaN) };
        rings.set(meter, ring);
      }
      if (slot <= ring.newest - RING_SLOTS) return;
      if (slot > ring.newest) advance(ring, slot);
      ring.values[slot % RING_SLOTS] = meanPowerW;
    },
    get(meter, endMs) {
      const ring = rings.get(meter);
      if (ring === undefined) return undefined;
      const last = endMs === undefined ? ring.newest : slotAt(endMs) - 1;
      if (!holds(ring, last)) return undefined;
      const values = new Float32Array(WINDOW_SLOTS).fill(Number.NaN);
      const first = last - WINDOW_SLOTS + 1;
      for (let slot = Math.max(first, ring.newest - RING_SLOTS + 1, 0); slot <= last; slot++) {
        values[slot - first] = ring.values[slot % RING_SLOTS] ?? Number.NaN;
      }
      return { endMs: epochMs((last + 1) * SLOT_MS), values, present: countPresent(values) };
    },
    meters: () => rings.keys(),
    get size() {
      return rings.size;
    },
  };
}

const slotAt = (ms: EpochMs): number => Math.floor(ms / SLOT_MS);

const holds = ({ newest, values }: Ring, slot: number): boolean =>
  slot <= newest && slot > newest - RING_SLOTS && !Number.isNaN(values[slot % RING_SLOTS]);

export function countPresent(values: Float32Array): number {
  let present = 0;
  for (const value of values) if (!Number.isNaN(value)) present += 1;
  return present;
}
