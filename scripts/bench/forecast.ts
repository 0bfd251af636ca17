import { fileURLToPath } from 'node:url';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { readBundle } from '../../models/bundle/read.js';
import { encode } from '../../models/forecast/features.js';
import { windowAt } from '../../models/forecast/samples.js';
import { score } from '../../models/fraud/theft-model.js';
import { openForecaster, openNetwork } from '../../models/onnx/session.js';
import { createHouseholds } from '../../models/synthetic.js';
import type { Bench, Setting } from './bench.js';
import { medianMs } from './statistics.js';

const METERS = 1_000;
/** What openForecaster uses; a bare run of 1,000 at once would be another shape. */
const BATCH = 512;
const ROUNDS = { tiny: 1, quick: 15, full: 50 };
const SHIPPED = fileURLToPath(new URL('../../../models/bundles/default-5min', import.meta.url));

export const forecast: Bench = {
  about: 'the forecast and the scores of 1,000 meters with the shipped bundle, beside ONNX Runtime on prepared tensors',
  goals: { ms_1000_meters: { atMost: 12 }, ours_vs_bare_ort_1000: { atMost: 1.3 } },
  measure,
};

async function measure({ size }: Setting) {
  const rounds = ROUNDS[size];
  const bundle = await readBundle(SHIPPED);
  const windows = createHouseholds({ meters: METERS, days: 2, seed: 1 }).map((series) =>
    windowAt({ series, origin: WINDOW_SLOTS + 100 }),
  );
  const forecaster = await openForecaster(bundle, 'int8');
  const bare = await openNetwork(bundle.forecast.int8);
  const prepared = [windows.slice(0, BATCH), windows.slice(BATCH)].map((part) => encode(part));
  const forecastMs = await medianMs(rounds, () => forecaster.predict(windows));
  const bareMs = await medianMs(rounds, async () => {
    for (const encoded of prepared) await bare.run(encoded);
  });
  const encodeMs = await medianMs(rounds, () => encode(windows));
  const scoreMs = await medianMs(rounds, () => windows.map((window) => score(bundle.theft, window)));
  await Promise.all([forecaster.close(), bare.close()]);
  return {
    metrics: {
      ms_1000_meters: forecastMs,
      bare_ort_ms_1000_meters: bareMs,
      encode_ms_1000_meters: encodeMs,
      theft_score_ms_1000_meters: scoreMs,
    },
    ratios: { ours_vs_bare_ort_1000: forecastMs / bareMs },
  };
}
