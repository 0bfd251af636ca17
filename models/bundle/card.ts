import type { Manifest } from './manifest.js';

const HORIZON_NAMES: Readonly<Record<string, string>> = {
  '1': 'the next slot',
  '1-12': 'the next hour, slot by slot',
  '24h': 'the next day, hour by hour',
};

/** The bundle for people. */
export function writeCard(manifest: Omit<Manifest, 'files'>, parts: { readonly trees: number }): string {
  const { evaluation, version, createdAt, parameters, trainedOn, licence, attribution } = manifest;
  const rows = Object.entries(evaluation.maeW).map(([name, { model, persistence, seasonalDay, coverage90 }]) => {
    const figures = [model, persistence, seasonalDay].map((mae) => mae.toFixed(1)).join(' | ');
    return `| ${HORIZON_NAMES[name] ?? name} | ${figures} | ${(coverage90 * 100).toFixed(1)} % |`;
  });
  return `# Model bundle ${version}

Made ${createdAt}. ${parameters} parameters in the forecaster, ${parts.trees} trees in the theft model.

## What it does
From the last ${manifest.windowSlots} slots of ${manifest.slotMinutes} minutes of a meter it forecasts the mean power of ${manifest.horizons.length} spans of the
next day, each as ${manifest.quantiles.map((quantile) => `${quantile * 100} %`).join(', ')} quantiles, and scores the newest slot for theft. A score of ${manifest.fraud.threshold}
stands for one false alarm in a thousand slots of the data it was trained on.

## How good the forecast is
Mean absolute error in watts: per meter, then the mean over meters. ${evaluation.split} ${evaluation.meters} meters, ${evaluation.windows} windows.

| horizon | model (int8) | persistence | same time yesterday | inside the 90 % band |
|---|---|---|---|---|
${rows.join('\n')}

## Trained on
${trainedOn}

Licence: ${licence}${attribution === '' ? '' : `\n\nAttribution: ${attribution}`}

## What it does not know
Weather, holidays, weeks before the last day, and how its bands hold on other data: they are not calibrated.
The theft score sees one meter and one day; it is evidence to look at, not proof.
`;
}
