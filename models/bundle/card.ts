import { RIDGE } from '../forecast/evaluation/baselines.js';
import { groupTitle } from '../forecast/plots/error-plots.js';
import { LEARNING_CURVE } from '../forecast/plots/learning-curve.js';
import { DECLARED_SCORE } from '../fraud/calibration.js';
import type { TheftModel } from '../fraud/theft-model.js';
import { inputPorts, outputPort } from '../onnx/ports.js';
import type { Port } from '../onnx/protobuf.js';
import { PLOTS } from '../tail-evaluation.js';
import type { Manifest } from './manifest.js';

/** The bundle for people. */
export function writeCard(manifest: Omit<Manifest, 'files'>, theft: TheftModel): string {
  const { evaluation, training, version, createdAt, parameters, trainedOn, licence, attribution } = manifest;
  return `# Model bundle ${version}

Made ${createdAt}. ${parameters} parameters in the forecaster, ${theft.forest.roots.length} trees in the theft model of slots, ${theft.days?.forest.roots.length ?? 'none'} in that of days.

## What it does
From the last ${manifest.windowSlots} slots of ${manifest.slotMinutes} minutes of a meter, its last week and what was usual over 28 days it forecasts
the mean power of ${manifest.horizons.length} spans of the next day, each as ${manifest.quantiles.map((quantile) => `${quantile * 100} %`).join(', ')} quantiles, and scores
the newest slot for theft. A score of ${manifest.fraud.threshold} stands for one false alarm in a thousand slots of the data it was trained on.
${theft.days === undefined ? NO_DAYS : DAYS}

## How good the forecast is
Errors in watts: per meter, then the mean over meters. ${evaluation.split} ${evaluation.meters} meters.
${aboutRidge(evaluation)}
${Object.entries(evaluation.horizons)
  .map(([name, methods]) => tableOf(name, methods, evaluation.aggregate?.[name] ?? {}))
  .join('\n')}
## How it looks
The bands are as trained; on a gateway they adapt to what they miss. Means over all meters of the test, except where one
is shown: the one that is neither well nor badly forecast.

${PLOTS.map(({ file, words }) => `![${words}](${file})`).join('\n\n')}
${training === undefined ? '' : learningOf(training)}
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

function aboutRidge({ horizons }: Manifest['evaluation']): string {
  return Object.values(horizons).some((methods) => RIDGE in methods)
    ? 'Ridge is a linear forecast from the last 288 slots of a meter, fitted to that meter alone.'
    : 'Ridge on the last 288 slots of each meter is left out: the series are too short for it or too many.';
}

const portRows = (kind: string, ports: readonly Port[]): string =>
  ports.map(({ name, dims }) => `| ${kind} | \`${name}\` | ${dims.join(' × ')} |`).join('\n');

const written = (ratio: number | null): string => ratio?.toFixed(3) ?? '–';

const DAYS = `A second model judges whole days of a meter against its own days 12 to 4 weeks before; there ${DECLARED_SCORE} stands for one clean
day in a hundred. An episode opens on several such days. Where a feeder is measured, its balance decides beside it who is
suspected, without a model of its own. How much of which theft both find in a fleet of your own: \`npm run eval -- theft-self-test\`.`;
const NO_DAYS = 'It has no model of whole days: the series were too short for one.';

type Methods = Manifest['evaluation']['horizons'][string];

type Sums = NonNullable<Manifest['evaluation']['aggregate']>[string];

function tableOf(group: string, methods: Methods, sums: Sums): string {
  if (Object.keys(methods).length === 0) return `\n### ${groupTitle(group)}\n\nThe test was too short for any.\n`;
  const rows = Object.entries(methods).map(([name, { mae, rmse, mase_vs_seasonal, pinball, coverage90 }]) => {
    const figures = [mae.toFixed(1), rmse.toFixed(1), written(mase_vs_seasonal), pinball.toFixed(1)].join(' | ');
    return `| ${name} | ${figures} | ${coverage90 === undefined ? '' : `${(coverage90 * 100).toFixed(1)} %`} |`;
  });
  return `
### ${groupTitle(group)}

| | MAE | RMSE | MAE / same time yesterday | pinball | inside the 90 % band |
|---|---|---|---|---|---|
${rows.join('\n')}
${sumsOf(sums)}`;
}

/** MAPE stands here alone: single meters come near zero. */
function sumsOf(sums: Sums): string {
  const rows = Object.entries(sums).map(
    ([name, { mae, rmse, mape, r2 }]) =>
      `| ${name} | ${mae.toFixed(0)} | ${rmse.toFixed(0)} | ${mape === undefined ? '' : `${(mape * 100).toFixed(2)} %`} | ${written(r2)} |`,
  );
  if (rows.length === 0) return '';
  return `
All meters together:

| | MAE | RMSE | MAPE | R² |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function learningOf({ seed, backend, curve, bestEpoch }: NonNullable<Manifest['training']>): string {
  const rows = curve.map(({ training, validation }, index) => {
    const mark = index + 1 === bestEpoch ? '**' : '';
    return `| ${mark}${index + 1}${mark} | ${training.toFixed(4)} | ${validation.toFixed(4)} |`;
  });
  return `
## How it learnt
Seed ${seed}, computed by ${backend}. Mean pinball loss after each epoch, in units of what the same time yesterday errs: on the
windows that were learnt from, from some of which a part of what is known was taken away, and on whole ones of the weeks that were
kept out. The epoch that errs least on those is the one that ships.

![Loss by epoch](${LEARNING_CURVE})

| epoch | training | weeks kept out |
|---|---|---|
${rows.join('\n')}
`;
}
