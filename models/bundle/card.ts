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
## Trained on
${trainedOn}

Licence: ${licence}${attribution === '' ? '' : `\n\nAttribution: ${attribution}`}

## What it does not know
What no meter of its data ever did; holidays where no country is set, and weather where none is given. Its bands are
calibrated on weeks that it was not trained on and adapt on the gateway; those of a new kind of meter are wrong at first.
The theft score sees one meter and one day; it is evidence to look at, not proof.
`;
}

type Methods = Manifest['evaluation']['horizons'][string];

const GROUP_NAMES: Readonly<Record<string, string>> = {
  '1': 'The next slot',
  '24h': 'The next day, hour by hour',
};

function tableOf(group: string, methods: Methods): string {
  const rows = Object.entries(methods).map(([name, { mae, rmse, mase_vs_seasonal, pinball, coverage90 }]) => {
    const figures = [mae.toFixed(1), rmse.toFixed(1), mase_vs_seasonal.toFixed(3), pinball.toFixed(1)].join(' | ');
    return `| ${name} | ${figures} | ${coverage90 === undefined ? '' : `${(coverage90 * 100).toFixed(1)} %`} |`;
  });
  return `
### ${GROUP_NAMES[group] ?? `Slots ${group}`}

| | MAE | RMSE | MAE / same time yesterday | pinball | inside the 90 % band |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
