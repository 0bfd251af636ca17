import { createHousehold } from '../../../models/fleet/household.js';
import { createWeather } from '../../../models/fleet/weather.js';
import { type Line, lineChart } from './line-chart.js';
import { autocorrelation, MEASURES, type Measures, measure, overTheDay, quantile, usable } from './measures.js';
import type { Homes } from './series-file.js';

/** As many simulated homes over the same days at the same step, read off a meter of the same resolution. */
export function simulatedLike({ stepMinutes, firstDay, watts }: Homes, { homes, seed, resolutionWh }: Like): Homes {
  const weather = createWeather(seed);
  const perDay = 1_440 / stepMinutes;
  const days = (watts[0]?.length ?? 0) / perDay;
  const hours = stepMinutes / 60;
  const series = Array.from({ length: homes }, (_, number) => {
    const household = createHousehold({ seed, number, weather, stepMinutes });
    const values = new Float32Array(days * perDay);
    for (let day = 0; day < days; day++) {
      const { consumedW, producedW } = household.day(firstDay + day);
      const read = consumedW.map((value, step) => {
        const wh = Math.max(value - (producedW?.[step] ?? 0), 0) * hours;
        return (Math.round(wh / resolutionWh) * resolutionWh) / hours;
      });
      values.set(read, day * perDay);
    }
    return values;
  });
  return { name: `simulated, seed ${seed}`, stepMinutes, firstDay, watts: series };
}

export interface Like {
  readonly homes: number;
  readonly seed: number;
  /** What the real meters count in. */
  readonly resolutionWh: number;
}

const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9] as const;
const COLOURS = ['#d97706', '#2563eb'];

/** A table in Markdown: of each figure, how it is spread over the homes, the real ones first. */
export function tableOf(all: readonly Homes[]): string {
  const measured = all.map((homes) => homes.watts.filter(usable).map((watts) => measure(watts, homes)));
  const names = Object.keys(MEASURES) as (keyof Measures)[];
  const head = `| | | ${QUANTILES.map((share) => `${share * 100} %`).join(' | ')} |`;
  const rows = names.flatMap((name) =>
    all.map((homes, index) => {
      const values = measured[index]?.map((one) => one[name]) ?? [];
      const cells = QUANTILES.map((share) => written(quantile(values, share)));
      return `| ${index === 0 ? MEASURES[name] : ''} | ${homes.name} | ${cells.join(' | ')} |`;
    }),
  );
  return [head, `|${'---|'.repeat(QUANTILES.length + 2)}`, ...rows].join('\n');
}

const written = (value: number): string => (Number.isNaN(value) ? '' : value.toFixed(value >= 10 ? 1 : 2));

/** SVG texts by name of file. */
export function plotsOf(all: readonly Homes[]): Readonly<Record<string, string>> {
  const perDay = 1_440 / (all[0]?.stepMinutes ?? 30);
  const days = all.map(({ watts }) => watts.filter(usable).map((one) => overTheDay(one, perDay)));
  const hours = Array.from({ length: perDay }, (_, step) => (step * 24) / perDay);
  const medians = (of: (home: { shape: number[]; spread: number[] }) => number[]): Line[] =>
    all.map(({ name }, index) => ({
      name,
      colour: COLOURS[index] ?? '#808080',
      points: hours.map((hour, step) => [
        hour,
        quantile(
          (days[index] ?? []).map((home) => of(home)[step] ?? Number.NaN),
          0.5,
        ),
      ]),
    }));
  const lags = Array.from({ length: 7 * 24 }, (_, hour) => Math.round(((hour + 1) * perDay) / 24));
  const remembered = all.map(({ name, watts }, index): Line => {
    const homes = watts.filter(usable);
    const points = lags.map(
      (lag) =>
        [
          (lag * 24) / perDay,
          quantile(
            homes.map((home) => autocorrelation(home, lag)),
            0.5,
          ),
        ] as const,
    );
    return { name, colour: COLOURS[index] ?? '#808080', points };
  });
  const everySix = [0, 6, 12, 18, 24];
  return {
    'shape.svg': lineChart({
      title: 'Mean over the day, over the home’s own mean (median home)',
      xTitle: 'hour (UTC)',
      xTicks: everySix,
      lines: medians(({ shape }) => shape),
    }),
    'spread.svg': lineChart({
      title: 'Deviation over mean, by time of day (median home)',
      xTitle: 'hour (UTC)',
      xTicks: everySix,
      lines: medians(({ spread }) => spread),
    }),
    'memory.svg': lineChart({
      title: 'Autocorrelation (median home)',
      xTitle: 'hours',
      xTicks: [24, 48, 72, 96, 120, 144, 168],
      lines: remembered,
    }),
  };
}
