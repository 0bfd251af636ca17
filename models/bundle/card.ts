import { groupTitle } from '../forecast/plots/error-plots.js';
import { inputPorts, outputPort } from '../onnx/ports.js';
import type { Port } from '../onnx/protobuf.js';
import { PLOTS } from '../tail-evaluation.js';
import type { Manifest } from './manifest.js';

/** The bundle for people. */
export function writeCard(manifest: Omit<Manifest, 'files'>, parts: { readonly trees: number }): string {
  const { evaluation, version, createdAt, parameters, trainedOn, licence, attribution } = manifest;
  return `# Model bundle ${version}

Made ${createdAt}. ${parameters} parameters in the forecaster, ${parts.trees} trees in the theft model.

## What it does
From the last ${manifest.windowSlots} slots of ${manifest.slotMinutes} minutes of a meter, the same time last week and what was usual over 28 days it forecasts
the mean power of ${manifest.horizons.length} spans of the next day, each as ${manifest.quantiles.map((quantile) => `${quantile * 100} %`).join(', ')} quantiles, and scores
the newest slot for theft. A score of ${manifest.fraud.threshold} stands for one false alarm in a thousand slots of the data it was trained on.

## How good the forecast is
Errors in watts: per meter, then the mean over meters. ${evaluation.split} ${evaluation.meters} meters.
${Object.entries(evaluation.horizons)
  .map(([name, methods]) => tableOf(name, methods))
  .join('\n')}
## How it looks
The bands are as trained; on a gateway they adapt to what they miss. Means over all meters of the test, except where one
is shown: the one that is neither well nor badly forecast.

${PLOTS.map(({ file, words }) => `![${words}](${file})`).join('\n\n')}

## Trained on
${trainedOn}

Licence: ${licence}${attribution === '' ? '' : `\n\nAttribution: ${attribution}`}

## What the network takes and gives
Another ONNX model can take the place of this one if it has the same inputs and the same output, all of them float32, with
any number of meters. Each window is made free of its scale first: less its mean, over its mean absolute deviation, which
counts as at least 10 W and 2 % of the mean (feature version ${manifest.featureVersion}). There is no other scaler.

| | name | shape |
|---|---|---|
${portRows('input', inputPorts(manifest.horizons.length))}
${portRows('output', [outputPort(manifest.horizons.length)])}

The SHA-256 of every file stands in \`manifest.json\`.

## What it does not know
What no meter of its data ever did; holidays where no country is set, and weather where none is given. Its bands are
calibrated on weeks that it was not trained on and adapt on the gateway; those of a new kind of meter are wrong at first.
The theft score sees one meter and one day; it is evidence to look at, not proof.
`;
}

const portRows = (kind: string, ports: readonly Port[]): string =>
  ports.map(({ name, dims }) => `| ${kind} | \`${name}\` | ${dims.join(' × ')} |`).join('\n');

type Methods = Manifest['evaluation']['horizons'][string];

function tableOf(group: string, methods: Methods): string {
  if (Object.keys(methods).length === 0) return `\n### ${groupTitle(group)}\n\nThe test was too short for any.\n`;
  const rows = Object.entries(methods).map(([name, { mae, rmse, mase_vs_seasonal, pinball, coverage90 }]) => {
    const figures = [mae.toFixed(1), rmse.toFixed(1), mase_vs_seasonal.toFixed(3), pinball.toFixed(1)].join(' | ');
    return `| ${name} | ${figures} | ${coverage90 === undefined ? '' : `${(coverage90 * 100).toFixed(1)} %`} |`;
  });
  return `
### ${groupTitle(group)}

| | MAE | RMSE | MAE / same time yesterday | pinball | inside the 90 % band |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
