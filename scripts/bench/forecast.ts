import { fileURLToPath } from 'node:url';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { createForecasting } from '../../agent/forecast/forecasting.js';
import { readBundle } from '../../models/bundle/read.js';
import { createEncoder, type Encoded } from '../../models/forecast/features.js';
import type { History } from '../../models/forecast/history.js';
import type { ForecastShape } from '../../models/forecast/series-history.js';
import { loadBackend } from '../../models/forecast/train/backend.js';
import { initialWeights } from '../../models/forecast/train/initial.js';
import { createNetwork } from '../../models/forecast/train/layers.js';
import { MAX_BATCH, openForecaster } from '../../models/forecaster.js';
import { openOnnxNetwork } from '../../models/onnx/session.js';
import { createHouseholds } from '../../models/synthetic.js';
import { seasonalProfile } from '../../models/window/seasonal-profile.js';
import { createSlotWindows, type SlotWindows } from '../../models/window/slot-windows.js';
import type { Bench, Setting, Size } from './bench.js';
import { createLayersLstm } from './plain-lstm.js';
import { cpuMs, median, medianCpuMs } from './statistics.js';

const SHIPPED = fileURLToPath(new URL('../../../models/bundles/default-5min', import.meta.url));
const SIZES = [1, 100, 1_000, 10_000] as const;
/** Households differ; more than this many are the same ones again, at another moment. */
const HOUSEHOLDS = 100;
const DAYS = 15;
/** Slots of eight days, which is what a gateway remembers. */
const REMEMBERED = 8 * WINDOW_SLOTS;
const ROUNDS: Readonly<Record<Size, number>> = { tiny: 1, quick: 15, full: 50 };
/** TensorFlow.js takes seconds for what ONNX Runtime does in milliseconds. */
const SLOW_ROUNDS: Readonly<Record<Size, number>> = { tiny: 1, quick: 3, full: 7 };
/** Which it likes large: of 64 meters, as ours are, each would take it half as long again. */
const TENSORFLOW_BATCH = 512;
const MEBIBYTE = 1_048_576;

export const forecast: Bench = {
  about:
    'a tick of the gateway with the shipped bundle, from windows to the bytes that are stored, the next day among them as once an hour, beside ONNX Runtime on prepared tensors and TensorFlow.js (WASM); milliseconds are of the processor, all threads',
  goals: {
    ms_1000_meters: { atMost: 12 },
    rss_growth_mb_10000_meters: { atMost: 60 },
    ours_vs_bare_ort_1000: { atMost: 1.3 },
    tfjs_same_graph_vs_ours_1000: { atLeast: 12 },
    tfjs_plain_lstm_vs_ours_1000: { atLeast: 80 },
    per_meter_10000_vs_1000: { atMost: 1.15 },
  },
  measure,
};

async function measure({ size, say }: Setting) {
  const bundle = await readBundle(SHIPPED, 'any');
  const { slotMinutes, horizons } = bundle.manifest;
  const shape = { slotMinutes, horizons };
  const windows = rememberHouseholds(slotMinutes * 60_000, SIZES.at(-1) ?? 0);
  const everyone = [...windows.meters()];
  const forecaster = await openForecaster(bundle, 'int8');
  const forecasting = createForecasting(windows);
  /** A tick as on the gateway: windows out of memory, inference, watts, and the bytes that are stored. */
  const tick = (meters: number) => forecasting.forecast(everyone.slice(0, meters), forecaster);
  const metrics: Record<string, number> = {};
  // Warm at the largest batch, so that what grows afterwards grows with the number of meters.
  await tick(MAX_BATCH);
  const rssBefore = process.memoryUsage.rss();
  for (const meters of SIZES) {
    say(`${meters} meters`);
    const rounds = meters > 1_000 ? SLOW_ROUNDS[size] : ROUNDS[size];
    metrics[`ms_${meters}_meters`] = await medianCpuMs(rounds, () => tick(meters));
  }
  metrics['rss_growth_mb_10000_meters'] = (process.memoryUsage.rss() - rssBefore) / MEBIBYTE;

  say('bare ONNX Runtime');
  const thousand = everyone.slice(0, 1_000).flatMap((meter) => windows.history(meter) ?? []);
  const prepared = inBatches(thousand, shape, MAX_BATCH);
  const network = await openOnnxNetwork(bundle.forecast.int8, shape);
  const runBare = async () => {
    for (const batch of prepared) await network.run(batch);
  };
  await runBare();
  // In turns, so that a busy moment of the machine falls on both.
  const [ours, bare, large]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < ROUNDS[size]; round++) {
    ours.push(await cpuMs(() => tick(1_000)));
    bare.push(await cpuMs(runBare));
    if (round < SLOW_ROUNDS[size]) large.push(await cpuMs(() => tick(10_000)));
  }
  const oursMs = median(ours);
  metrics['ms_1000_meters'] = oursMs;
  metrics['bare_ort_ms_1000_meters'] = median(bare);
  await Promise.all([forecaster.close(), network.close()]);

  say('TensorFlow.js');
  const slow = await measureTensorFlow(inBatches(thousand, shape, TENSORFLOW_BATCH), shape, size);
  metrics['tfjs_same_graph_ms_1000_meters'] = slow.sameGraphMs;
  metrics['tfjs_plain_lstm_ms_1000_meters'] = slow.plainLstmMs;
  return {
    metrics,
    ratios: {
      ours_vs_bare_ort_1000: oursMs / median(bare),
      tfjs_same_graph_vs_ours_1000: slow.sameGraphMs / oursMs,
      tfjs_plain_lstm_vs_ours_1000: slow.plainLstmMs / oursMs,
      per_meter_10000_vs_1000: median(large) / 10 / oursMs,
    },
  };
}

function rememberHouseholds(slotMs: number, count: number): SlotWindows {
  const homes = createHouseholds({ meters: HOUSEHOLDS, days: DAYS, seed: 1 });
  const profiles = homes.map(({ powerW }) => seasonalProfile(powerW, WINDOW_SLOTS));
  const windows = createSlotWindows(slotMs);
  for (let index = 0; index < count; index++) {
    const meter = `home-${index}` as MeterId;
    const home = homes[index % HOUSEHOLDS];
    const shift = Math.floor(index / HOUSEHOLDS);
    const powerW = home?.powerW.subarray(0, home.powerW.length - shift) ?? new Float32Array();
    for (let slot = Math.max(0, powerW.length - REMEMBERED); slot < powerW.length; slot++) {
      windows.put(meter, epochMs((home?.startMs ?? 0) + slot * slotMs), powerW[slot] as number);
    }
    const profile = profiles[index % HOUSEHOLDS];
    if (profile !== undefined) windows.putProfile(meter, profile);
  }
  return windows;
}

function inBatches(histories: readonly History[], shape: ForecastShape, size: number): readonly Encoded[] {
  const encoder = createEncoder(shape);
  const batches: Encoded[] = [];
  for (let from = 0; from < histories.length; from += size) {
    batches.push(encoder.encode(histories.slice(from, from + size)));
  }
  return batches;
}

/** What the weights are makes no difference to how long they take. */
async function measureTensorFlow(batches: readonly Encoded[], shape: ForecastShape, size: Size) {
  const backend = await loadBackend();
  const steps = shape.horizons.length;
  const stepWeights = new Float32Array(steps).fill(1);
  const network = createNetwork(backend, { shape, weights: initialWeights(shape, 1), stepWeights });
  const plain = createLayersLstm(backend, steps);
  const runSame = () => batches.map((batch) => network.predict(batch));
  const runPlain = () => batches.map((batch) => plain.predict(batch));
  runSame();
  const sameGraphMs = await medianCpuMs(SLOW_ROUNDS[size], runSame);
  const plainLstmMs = await medianCpuMs(1, runPlain);
  network.dispose();
  plain.dispose();
  return { sameGraphMs, plainLstmMs };
}
