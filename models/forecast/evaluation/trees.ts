import { seededRandom } from '../../../agent/domain/clock.js';
import { WINDOW_SLOTS } from '../../../agent/domain/slot.js';
import { type MedianTrees, medianOfTrees, trainMedianTrees } from '../../boosting/median-trees.js';
import { CONTEXT_SIZE, createEncoder, type Encoded, type Encoder, PATCH_SLOTS, PATCHES, SEASONS } from '../features.js';
import { slotsPerDay } from '../horizons.js';
import { drawSamples, type SampleSource, targetsOf } from '../samples.js';
import type { ForecastShape } from '../series-history.js';
import type { Baseline } from './baseline.js';
import type { Schooling } from './schooling.js';

const MOST_ROWS = 60_000;
const BATCH = 1_000;
const NEWEST = 24;
/** What is known of the window, then of the step: its seasons, their spread, how far off it is, and its time of day. */
const WINDOW_FEATURES = NEWEST + PATCHES + CONTEXT_SIZE;
const FEATURES = WINDOW_FEATURES + SEASONS + 4;

/** Gradient-boosted trees on what the forecaster itself is given: one model for the next slot, one for all after it. */
export function trainTrees({ sources, shape, seed, place }: Schooling): Baseline {
  const encoder = createEncoder(shape, place);
  const steps = shape.horizons.length;
  const random = seededRandom(seed + 1);
  const next = once(() => learn({ sources, encoder, seed, stepOf: () => 0 }));
  const later = once(() =>
    learn({ sources, encoder, seed: seed + 1, stepOf: () => 1 + Math.floor(random() * (steps - 1)) }),
  );
  return {
    name: 'trees',
    prepare: ({ at }) => {
      const row = new Float32Array(FEATURES);
      return (origin, out, wanted) => {
        const encoded = encoder.encode([at(origin)]);
        for (const step of wanted) {
          writeFeatures(row, encoded, { row: 0, step, shape });
          const answer = medianOfTrees(step === 0 ? next() : later(), row);
          out[step] = (encoded.centreW[0] as number) + (encoded.scaleW[0] as number) * answer;
        }
      };
    },
  };
}

/** Trees that nobody asks for are not grown. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

interface Lesson {
  readonly sources: readonly SampleSource[];
  readonly encoder: Encoder;
  readonly seed: number;
  readonly stepOf: () => number;
}

function learn({ sources, encoder, seed, stepOf }: Lesson): MedianTrees {
  const { shape } = encoder;
  const steps = shape.horizons.length;
  const random = seededRandom(seed);
  const windows = sources.reduce((sum, { origins }) => sum + origins.length, 0);
  const count = Math.min(windows, MOST_ROWS);
  const rows = new Float32Array(count * FEATURES);
  const targets = new Float32Array(count);
  const weights = new Float32Array(count);
  for (let from = 0; from < count; from += BATCH) {
    const samples = drawSamples(sources, Math.min(BATCH, count - from), random);
    const encoded = encoder.encode(samples.map(({ source, origin }) => source.history.at(origin)));
    const all = targetsOf(samples, encoded);
    for (let row = 0; row < samples.length; row++) {
      const step = stepOf();
      const out = rows.subarray((from + row) * FEATURES, (from + row + 1) * FEATURES);
      writeFeatures(out, encoded, { row, step, shape });
      targets[from + row] = all.values[row * steps + step] as number;
      weights[from + row] = all.weights[row * steps + step] as number;
    }
  }
  return trainMedianTrees({ rows, features: FEATURES, targets, weights, seed });
}

function writeFeatures(
  out: Float32Array,
  { window, seasons, spread, context }: Encoded,
  { row, step, shape }: { row: number; step: number; shape: ForecastShape },
): void {
  const end = (row + 1) * WINDOW_SLOTS;
  out.set(window.subarray(end - NEWEST, end), 0);
  for (let patch = 0; patch < PATCHES; patch++) {
    let sum = 0;
    const from = row * WINDOW_SLOTS + patch * PATCH_SLOTS;
    for (let slot = from; slot < from + PATCH_SLOTS; slot++) sum += window[slot] as number;
    out[NEWEST + patch] = sum / PATCH_SLOTS;
  }
  out.set(context.subarray(row * CONTEXT_SIZE, (row + 1) * CONTEXT_SIZE), NEWEST + PATCHES);
  const steps = shape.horizons.length;
  for (let season = 0; season < SEASONS; season++) {
    out[WINDOW_FEATURES + season] = seasons[(row * SEASONS + season) * steps + step] as number;
  }
  const { offset = 0, slots = 1 } = shape.horizons[step] ?? {};
  const more = WINDOW_FEATURES + SEASONS;
  out[more] = spread[row * steps + step] as number;
  out[more + 1] = offset;
  // The calendar begins with sine and cosine of the time of day.
  const [sine = 0, cosine = 1] = context.subarray(row * CONTEXT_SIZE, row * CONTEXT_SIZE + 2);
  const turn = ((offset + slots / 2) / slotsPerDay(shape.slotMinutes)) * 2 * Math.PI;
  out[more + 2] = sine * Math.cos(turn) + cosine * Math.sin(turn);
  out[more + 3] = cosine * Math.cos(turn) - sine * Math.sin(turn);
}
