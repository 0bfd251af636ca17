import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { benchForecast } from './forecast/bench.js';

const SHIPPED = fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url));

const options = new Command('bench')
  .description(
    'How long the forecasts of many meters take on this machine, beside bare ONNX Runtime and TensorFlow.js.',
  )
  .option('--bundle <dir>', 'the bundle to measure', SHIPPED)
  .option('--full', 'more rounds, and 10,000 meters')
  .option('--json', 'one JSON document')
  .parse()
  .opts<{ bundle: string; full?: true; json?: true }>();

const results = await benchForecast({ bundleDir: options.bundle, full: options.full === true });
if (options.json === true) console.log(JSON.stringify({ bench: 'forecast', ...results }, null, 2));
else {
  for (const [name, value] of Object.entries({ ...results.metrics, ...results.ratios })) {
    console.log(`${name.padEnd(32)}${Number(value.toPrecision(4))}`);
  }
}
