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
  /** After a tick; what it brought is learnt from with the next full hour. */
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
  readonly missRates?: Float64Array | undefined;
}

/**
 * Longer than a day by so much is the turn of a meter, and so far apart are those of two: it divides no day of slots of any
 * width. A watch begins in this part of the turn alone, so that meters that were silent together do not stay together.
 */
const SHIFT_SLOTS = 25;
/**
 * Whether a band of the next day was right is known a day later. Bands that learnt from a thousand meters at every tick
 * would have gone too far by then, and back again.
 */
const LEARN_EVERY_MS = 3_600_000;

interface Watched {
  /** Low and high edge of each step. */
  readonly edges: Float32Array;
  issuedMs: number;
  /** How many of its spans are over, in the order of their ends. */
  over: number;
  /** In which slot of a turn its own begins. */
  readonly phase: number;
}

export function createBandWatch(windows: SlotWindows, { horizons, calibration, missRates }: WatchOptions): BandWatch {
  const { slotMs } = windows;
  const turnSlots = slotsPerDay(slotMs / 60_000) + SHIFT_SLOTS;
  const bands = createAdaptiveBands(calibration, missRates);
  const byEnd = horizons
    .map(({ offset, slots }, step) => ({ step, slots, fromMs: offset * slotMs, endMs: (offset + slots) * slotMs }))
    .sort((a, b) => a.endMs - b.endMs);
  const arena = createMeterArena(2 * horizons.length);
  const watched = new Map<MeterId, Watched>();
  const missed = new Uint32Array(horizons.length);
  const seen = new Uint32Array(horizons.length);
  let inside = 0;
  let outside = 0;
  let newestMs = Number.NEGATIVE_INFINITY;
  let learntMs = Number.NaN;

  function add(meter: MeterId, nowMs: number): Watched {
    const phase = (watched.size * SHIFT_SLOTS) % turnSlots;
    const one = { edges: arena.add(), issuedMs: nowMs, over: byEnd.length, phase };
    watched.set(meter, one);
    return one;
  }

  const isTurnOf = ({ phase }: Watched, nowMs: number): boolean =>
    (Math.round(nowMs / slotMs) + turnSlots - phase) % turnSlots < SHIFT_SLOTS;

  function compare(meter: MeterId, one: Watched, nowMs: number): void {
    for (; one.over < byEnd.length; one.over++) {
      const { step, slots, fromMs, endMs } = byEnd[one.over] as (typeof byEnd)[number];
      if (one.issuedMs + endMs > nowMs) return;
      const actual = windows.mean(meter, epochMs(one.issuedMs + fromMs), slots);
      if (Number.isNaN(actual)) continue;
      const isInside = actual >= (one.edges[2 * step] as number) && actual <= (one.edges[2 * step + 1] as number);
      seen[step] = (seen[step] as number) + 1;
      if (isInside) inside += 1;
      else {
        outside += 1;
        missed[step] = (missed[step] as number) + 1;
      }
    }
  }

  return {
    factors: bands.factors,
    missRates: bands.alphas,
    follow(meter, issuedSlotMs, row) {
      const one = watched.get(meter) ?? add(meter, issuedSlotMs);
      newestMs = Math.max(newestMs, issuedSlotMs);
      compare(meter, one, issuedSlotMs);
      if (one.over < byEnd.length || !isTurnOf(one, issuedSlotMs)) return;
      for (let step = 0; step < horizons.length; step++) {
        one.edges[2 * step] = wattsAt(row, step, LOW);
        one.edges[2 * step + 1] = wattsAt(row, step, HIGH);
      }
      one.issuedMs = issuedSlotMs;
      one.over = 0;
    },
    learn() {
      const outcome = { inside, outside };
      inside = 0;
      outside = 0;
      if (newestMs - learntMs < LEARN_EVERY_MS) return outcome;
      learntMs = newestMs;
      for (let step = 0; step < horizons.length; step++) {
        bands.observe(step, missed[step] as number, seen[step] as number);
      }
      seen.fill(0);
      missed.fill(0);
      return outcome;
    },
  };
}
