import { epochMs } from '../../agent/domain/brand.js';
import type { Random } from '../../agent/domain/clock.js';
import { SLOT_MS, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import type { MeterSeries } from '../series.js';
import type { SlotWindow } from '../window/slot-windows.js';
import { countPresent } from '../window/slot-windows.js';
import type { Encoded } from './features.js';
import { HORIZONS } from './horizons.js';
import { STEPS } from './network.js';

/** A window that is mostly filled in teaches what the filling looks like. */
const LEAST_PRESENT = WINDOW_SLOTS / 2;
/** One training window of so many loses its older part, as the windows of a new meter do. */
const SHORTENED_OF = 8;

/** Sums over any span in two look-ups. */
interface Running {
  readonly sum: Float64Array;
  readonly count: Uint32Array;
}

/** Targets of a batch, [rows, STEPS] each: normalised by their window, and 1 where the actual is known. */
export interface Targets {
  readonly values: Float32Array;
  readonly known: Float32Array;
}

/** What can be learnt from one meter. */
export interface SampleSource {
  readonly series: MeterSeries;
  readonly running: Running;
  /** Slots at which a window ends whose past and next slot are known. */
  readonly origins: Uint32Array;
}

export interface Sample {
  readonly source: SampleSource;
  readonly origin: number;
}

export function createSource(series: MeterSeries): SampleSource {
  const running = runningSums(series.powerW);
  const origins: number[] = [];
  for (let origin = WINDOW_SLOTS; origin < series.powerW.length; origin++) {
    const present = span(running.count, origin - WINDOW_SLOTS, origin);
    const knownEnds = span(running.count, origin - 1, origin + 1) === 2;
    if (present >= LEAST_PRESENT && knownEnds) origins.push(origin);
  }
  return { series, running, origins: Uint32Array.from(origins) };
}

export function windowAt({ series, origin }: { series: MeterSeries; origin: number }): SlotWindow {
  const values = series.powerW.subarray(origin - WINDOW_SLOTS, origin);
  return { endMs: epochMs(series.startMs + origin * SLOT_MS), values, present: countPresent(values) };
}

/** A window as training sees it: sometimes as short as a new meter's. */
export function trainingWindow({ source, origin }: Sample, random: Random): SlotWindow {
  const window = windowAt({ series: source.series, origin });
  if (random() * SHORTENED_OF >= 1) return window;
  const values = window.values.slice();
  values.fill(Number.NaN, 0, Math.floor(random() * (WINDOW_SLOTS - 1)));
  return { ...window, values, present: countPresent(values) };
}

/** The mean power of each horizon; NaN when less than half of its slots are known. */
export function actualsAt({ source, origin }: Sample, out: Float64Array = new Float64Array(STEPS)): Float64Array {
  const { sum, count } = source.running;
  const end = source.series.powerW.length;
  for (const [step, { offset, slots }] of HORIZONS.entries()) {
    const from = Math.min(origin + offset, end);
    const to = Math.min(from + slots, end);
    const known = span(count, from, to);
    out[step] = known * 2 >= slots ? span(sum, from, to) / known : Number.NaN;
  }
  return out;
}

export function targetsOf(samples: readonly Sample[], encoded: Encoded): Targets {
  const values = new Float32Array(samples.length * STEPS);
  const known = new Float32Array(samples.length * STEPS);
  const actuals = new Float64Array(STEPS);
  for (const [row, sample] of samples.entries()) {
    actualsAt(sample, actuals);
    for (let step = 0; step < STEPS; step++) {
      const actual = actuals[step] as number;
      if (Number.isNaN(actual)) continue;
      values[row * STEPS + step] = (actual - (encoded.centreW[row] as number)) / (encoded.scaleW[row] as number);
      known[row * STEPS + step] = 1;
    }
  }
  return { values, known };
}

/** Every meter is drawn equally often, however long its series. */
export function drawSamples(sources: readonly SampleSource[], count: number, random: Random): Sample[] {
  return Array.from({ length: count }, () => {
    const source = sources[Math.floor(random() * sources.length)] as SampleSource;
    return { source, origin: source.origins[Math.floor(random() * source.origins.length)] as number };
  });
}

function runningSums(values: Float32Array): Running {
  const sum = new Float64Array(values.length + 1);
  const count = new Uint32Array(values.length + 1);
  for (const [slot, value] of values.entries()) {
    const known = Number.isFinite(value);
    sum[slot + 1] = (sum[slot] as number) + (known ? value : 0);
    count[slot + 1] = (count[slot] as number) + (known ? 1 : 0);
  }
  return { sum, count };
}

const span = (running: Float64Array | Uint32Array, from: number, to: number): number =>
  (running[Math.min(to, running.length - 1)] as number) - (running[Math.min(from, running.length - 1)] as number);
