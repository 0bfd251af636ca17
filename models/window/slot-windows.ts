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
  /** In any order, and again when a slot is revised; what is older than the meter's window is ignored. */
  put(meter: MeterId, slotStartMs: EpochMs, meanPowerW: number): void;
  /** A copy that later puts do not change; undefined before the first put. */
  get(meter: MeterId): SlotWindow | undefined;
  meters(): Iterable<MeterId>;
  readonly size: number;
}

/** Slot number n (since 1970) stands at n modulo WINDOW_SLOTS. */
interface Ring {
  newest: number;
  readonly values: Float32Array;
}

export function createSlotWindows(): SlotWindows {
  const rings = new Map<MeterId, Ring>();

  function advance(ring: Ring, to: number): void {
    const skipped = to - ring.newest;
    if (skipped > WINDOW_SLOTS) ring.values.fill(Number.NaN);
    else for (let slot = ring.newest + 1; slot <= to; slot++) ring.values[slot % WINDOW_SLOTS] = Number.NaN;
    ring.newest = to;
  }

  return {
    put(meter, slotStartMs, meanPowerW) {
      const slot = Math.floor(slotStartMs / SLOT_MS);
      if (!Number.isFinite(meanPowerW) || !(slot >= 0)) return;
      let ring = rings.get(meter);
      if (ring === undefined) {
        ring = { newest: slot, values: new Float32Array(WINDOW_SLOTS).fill(Number.NaN) };
        rings.set(meter, ring);
      }
      if (slot <= ring.newest - WINDOW_SLOTS) return;
      if (slot > ring.newest) advance(ring, slot);
      ring.values[slot % WINDOW_SLOTS] = meanPowerW;
    },
    get(meter) {
      const ring = rings.get(meter);
      if (ring === undefined) return undefined;
      const values = new Float32Array(WINDOW_SLOTS);
      const oldest = (ring.newest + 1) % WINDOW_SLOTS;
      values.set(ring.values.subarray(oldest));
      values.set(ring.values.subarray(0, oldest), WINDOW_SLOTS - oldest);
      return { endMs: epochMs((ring.newest + 1) * SLOT_MS), values, present: countPresent(values) };
    },
    meters: () => rings.keys(),
    get size() {
      return rings.size;
    },
  };
}

export function countPresent(values: Float32Array): number {
  let present = 0;
  for (const value of values) if (!Number.isNaN(value)) present += 1;
  return present;
}
