import { createAdaptiveBands } from '../../models/forecast/adaptive-bands.js';
import type { Calibration } from '../../models/forecast/calibration.js';
import { type ForecastRow, HIGH, type Horizon, LOW, slotsPerDay, wattsAt } from '../../models/forecast/horizons.js';
import { createMeterArena } from '../../models/window/meter-arena.js';
import type { SlotWindows } from '../../models/window/slot-windows.js';
import { type EpochMs, epochMs, type MeterId } from '../domain/brand.js';

/**
 * Lets the bands of a model follow what they miss. Of each meter one forecast at a time is watched until its last span is
 * over, which takes a day; the next one is taken at another time of day. To keep every forecast until then would take 288
 * times as much memory, and the bands are common to all meters.
 */
export interface BandWatch {
  /** By what distances from the median are to be multiplied now. */
  readonly factors: Float32Array;
  /** What the factors follow from, by step. */
  readonly missRates: Float64Array;
  /** A forecast that is issued, and with it that all before this slot is known of the meter. */
  follow(meter: MeterId, issuedSlotMs: EpochMs, row: ForecastRow): void;
  /** Draws the conclusion from what was followed since the last time. */
  learn(): Outcome;
}

export interface Outcome {
  readonly inside: number;
  readonly outside: number;
}

export interface WatchOptions {
  readonly horizons: readonly Horizon[];
  readonly calibration: Calibration;
  /** Where an earlier watch of the same model had come to. */
  readonly missRates?: Float32Array | undefined;
}

/** Between two watches of a meter, and between those of two meters: no divisor of a day of slots of any width. */
const SHIFT_SLOTS = 25;

interface Watched {
  /** Low and high edge of each step. */
  readonly edges: Float32Array;
  issuedMs: number;
  /** How many of its spans are over, in the order of their ends. */
  over: number;
  /** The next forecast that is watched is not issued before. */
  againMs: number;
}

export function createBandWatch(windows: SlotWindows, { horizons, calibration, missRates }: WatchOptions): BandWatch {
  const { slotMs } = windows;
  const perDay = slotsPerDay(slotMs / 60_000);
  const bands = createAdaptiveBands(calibration, missRates);
  const byEnd = horizons
    .map(({ offset, slots }, step) => ({ step, slots, fromMs: offset * slotMs, endMs: (offset + slots) * slotMs }))
    .sort((a, b) => a.endMs - b.endMs);
  const arena = createMeterArena(2 * horizons.length);
  const watched = new Map<MeterId, Watched>();
  const missed = new Uint32Array(horizons.length);
  const seen = new Uint32Array(horizons.length);

  function begin(meter: MeterId, nowMs: number): Watched {
    const waitSlots = (watched.size * SHIFT_SLOTS) % perDay;
    const one = { edges: arena.add(), issuedMs: nowMs, over: byEnd.length, againMs: nowMs + waitSlots * slotMs };
    watched.set(meter, one);
    return one;
  }

  function compare(meter: MeterId, one: Watched, nowMs: number): void {
    for (; one.over < byEnd.length; one.over++) {
      const { step, slots, fromMs, endMs } = byEnd[one.over] as (typeof byEnd)[number];
      if (one.issuedMs + endMs > nowMs) return;
      const actual = windows.mean(meter, epochMs(one.issuedMs + fromMs), slots);
      if (Number.isNaN(actual)) continue;
      const isInside = actual >= (one.edges[2 * step] as number) && actual <= (one.edges[2 * step + 1] as number);
      seen[step] = (seen[step] as number) + 1;
      if (!isInside) missed[step] = (missed[step] as number) + 1;
    }
  }

  return {
    factors: bands.factors,
    missRates: bands.alphas,
    follow(meter, issuedSlotMs, row) {
      const one = watched.get(meter) ?? begin(meter, issuedSlotMs);
      compare(meter, one, issuedSlotMs);
      if (one.over < byEnd.length || issuedSlotMs < one.againMs) return;
      for (let step = 0; step < horizons.length; step++) {
        one.edges[2 * step] = wattsAt(row, step, LOW);
        one.edges[2 * step + 1] = wattsAt(row, step, HIGH);
      }
      one.issuedMs = issuedSlotMs;
      one.over = 0;
      one.againMs = issuedSlotMs + (perDay + SHIFT_SLOTS) * slotMs;
    },
    learn() {
      let inside = 0;
      let outside = 0;
      for (let step = 0; step < horizons.length; step++) {
        const [of, out] = [seen[step] as number, missed[step] as number];
        bands.observe(step, out, of);
        inside += of - out;
        outside += out;
      }
      seen.fill(0);
      missed.fill(0);
      return { inside, outside };
    },
  };
}
