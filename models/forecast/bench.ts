import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { type Bundle, readBundle } from '../bundle/read.js';
import { MAX_BATCH, openForecaster, openNetwork } from '../onnx/session.js';
import { createHouseholds } from '../synthetic.js';
import { createEncoder, type Encoded } from './features.js';
import type { History } from './history.js';
import { createSeriesHistory, type ForecastShape } from './series-history.js';

export interface BenchOptions {
  readonly bundleDir: string;
  /** More rounds, for figures that are kept. */
  readonly full: boolean;
}

export interface BenchResults {
  readonly metrics: Readonly<Record<string, number>>;
  readonly ratios: Readonly<Record<string, number>>;
}

const SIZES = [1, 100, 1_000, 10_000] as const;
/** Households differ; more than this many are the same ones again, at another moment. */
const HOUSEHOLDS = 100;
const DAYS = 15;
const ROUNDS = 7;
const FULL_ROUNDS = 25;
/** TensorFlow.js takes seconds for what ONNX Runtime does in milliseconds. */
const SLOW_ROUNDS = 3;
const MEBIBYTE = 1_048_576;

/** Histories in, watts out, beside the same work without our part of it and by another runtime. */
export async function benchForecast({ bundleDir, full }: BenchOptions): Promise<BenchResults> {
  const bundle = await readBundle(bundleDir, 'any');
  const { slotMinutes, horizons } = bundle.manifest;
  const shape = { slotMinutes, horizons };
  const rounds = full ? FULL_ROUNDS : ROUNDS;
  const histories = makeHistories(shape, SIZES.at(-1) ?? 0);
  const forecaster = await openForecaster(bundle, 'int8');
  const metrics: Record<string, number> = { parameters: bundle.manifest.parameters };
  // Warm at the largest batch, so that what grows later grows with the number of meters.
  await forecaster.predict(histories.slice(0, MAX_BATCH));
  const before = process.memoryUsage.rss();
  for (const meters of SIZES) {
    const some = histories.slice(0, meters);
    metrics[`ms_${meters}_meters`] = await medianMs(meters > 1_000 ? SLOW_ROUNDS : rounds, () =>
      forecaster.predict(some),
    );
  }
  metrics['rss_growth_mb_10000_meters'] = (process.memoryUsage.rss() - before) / MEBIBYTE;
  // In turns, so that a busy moment of the machine falls on both.
  const prepared = inBatches(histories.slice(0, 1_000), shape);
  const bare = await openNetwork(bundle.forecast.int8, shape);
  const turns = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < 2 * rounds; round++) {
    turns.ours.push(await timeMs(() => forecaster.predict(histories.slice(0, 1_000))));
    turns.bare.push(await timeMs(() => runAll(bare, prepared)));
  }
  metrics['bare_ort_ms_1000_meters'] = median(turns.bare);
  await Promise.all([forecaster.close(), bare.close()]);
  const slow = await benchTensorFlow(prepared, { bundle, shape });
  const ours = metrics['ms_1000_meters'] ?? Number.NaN;
  const ratios = {
    ours_vs_bare_ort_1000: median(turns.ours) / median(turns.bare),
    tfjs_same_graph_vs_ours_1000: slow.sameGraphMs / ours,
    tfjs_plain_lstm_vs_ours_1000: slow.plainLstmMs / ours,
    per_meter_10000_vs_1000: (metrics['ms_10000_meters'] ?? Number.NaN) / 10 / ours,
  };
  return {
    metrics: {
      ...metrics,
      tfjs_same_graph_ms_1000_meters: slow.sameGraphMs,
      tfjs_plain_lstm_ms_1000_meters: slow.plainLstmMs,
    },
    ratios,
  };
}

function makeHistories(shape: ForecastShape, count: number): readonly History[] {
  const homes = createHouseholds({ meters: HOUSEHOLDS, days: DAYS, seed: 1 }).map((series) =>
    createSeriesHistory(series, shape),
  );
  return Array.from({ length: count }, (_, index) => {
    const origin = 10 * WINDOW_SLOTS + Math.floor(index / HOUSEHOLDS);
    return homes[index % HOUSEHOLDS]?.at(origin) as History;
  });
}

function inBatches(histories: readonly History[], shape: ForecastShape): readonly Encoded[] {
  const encoder = createEncoder(shape);
  const batches: Encoded[] = [];
  for (let from = 0; from < histories.length; from += MAX_BATCH) {
    batches.push(encoder.encode(histories.slice(from, from + MAX_BATCH)));
  }
  return batches;
}

async function runAll(network: { run(encoded: Encoded): Promise<Float32Array> }, batches: readonly Encoded[]) {
  for (const batch of batches) await network.run(batch);
}

/** A centre has TensorFlow.js, a gateway has not: then there is nothing to compare with. */
async function benchTensorFlow(
  batches: readonly Encoded[],
  { shape }: { bundle: Bundle; shape: ForecastShape },
): Promise<{ sameGraphMs: number; plainLstmMs: number }> {
  const { loadBackend } = await import('./train/backend.js');
  const { createNetwork } = await import('./train/layers.js');
  const { initialWeights } = await import('./train/initial.js');
  const { createPlainLstm } = await import('./train/plain-lstm.js');
  const backend = await loadBackend();
  const stepWeights = new Float32Array(shape.horizons.length).fill(1);
  // What the weights are makes no difference to how long they take.
  const network = createNetwork(backend, { shape, weights: initialWeights(shape, 1), stepWeights });
  const plain = createPlainLstm(backend, { steps: shape.horizons.length, seed: 1 });
  const [first] = batches;
  if (first !== undefined) network.predict(first);
  const sameGraphMs = await medianMs(SLOW_ROUNDS, async () => batches.map((batch) => network.predict(batch)));
  const plainLstmMs = await timeMs(async () => batches.map((batch) => plain.predict(batch)));
  network.dispose();
  plain.dispose();
  return { sameGraphMs, plainLstmMs };
}

async function medianMs(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await timeMs(work));
  return median(times);
}

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
