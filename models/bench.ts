import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { WINDOW_SLOTS } from '../agent/domain/slot.js';
import { readBundle } from './bundle/read.js';
import { encode } from './forecast/features.js';
import { windowAt } from './forecast/samples.js';
import { score } from './fraud/theft-model.js';
import { openForecaster, openNetwork } from './onnx/session.js';
import { createHouseholds } from './synthetic.js';

const METERS = 1_000;
/** What openForecaster uses; a bare run of 1,000 at once would be another shape. */
const BATCH = 512;
const ROUNDS = 15;
const SHIPPED = fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url));

const options = new Command('bench')
  .description('How long the forecast and the scores of 1,000 meters take on this machine.')
  .option('--bundle <dir>', 'the bundle to measure', SHIPPED)
  .option('--json', 'one JSON document')
  .parse()
  .opts<{ bundle: string; json?: true }>();

const bundle = await readBundle(options.bundle);
const windows = createHouseholds({ meters: METERS, days: 2, seed: 1 }).map((series) =>
  windowAt({ series, origin: WINDOW_SLOTS + 100 }),
);
const forecaster = await openForecaster(bundle, 'int8');
const bare = await openNetwork(bundle.forecast.int8);
const prepared = [windows.slice(0, BATCH), windows.slice(BATCH)].map((part) => encode(part));

const forecastMs = await medianMs(() => forecaster.predict(windows));
const bareMs = await medianMs(async () => {
  for (const encoded of prepared) await bare.run(encoded);
});
const encodeMs = await medianMs(async () => encode(windows));
const scoreMs = await medianMs(async () => windows.map((window) => score(bundle.theft, window)));
await Promise.all([forecaster.close(), bare.close()]);

const results = {
  meters: METERS,
  forecast_ms: forecastMs,
  bare_onnx_runtime_ms: bareMs,
  ours_vs_bare: forecastMs / bareMs,
  encode_ms: encodeMs,
  theft_score_ms: scoreMs,
};
if (options.json === true) console.log(JSON.stringify(results, null, 2));
else for (const [name, value] of Object.entries(results)) console.log(`${name.padEnd(24)}${Number(value.toFixed(2))}`);

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}
