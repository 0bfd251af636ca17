import type { ScoredStep } from '../evaluation/evaluate.js';
import type { Group } from '../evaluation/groups.js';
import { QUANTILES } from '../horizons.js';
import type { ForecastShape } from '../series-history.js';

/** What plots need of one group of horizons beyond its scores. */
export interface GroupErrors {
  readonly group: Group;
  /** Share of the actuals that lay at or below each quantile; NaN while nothing was scored. */
  readonly below: readonly number[];
  /** By method: mean absolute error in watts, per meter, then the mean over meters; NaN where nothing was scored. */
  readonly byHour: readonly MethodErrors[];
  /** In the order of the group's steps. */
  readonly byStep: readonly MethodErrors[];
}

export interface MethodErrors {
  readonly name: string;
  readonly errors: readonly number[];
}

export interface ErrorTables {
  observe(scored: ScoredStep): void;
  groups(): readonly GroupErrors[];
}

interface Options {
  readonly shape: ForecastShape;
  readonly groups: readonly Group[];
  /** `model` and the baselines, in the order in which they are scored. */
  readonly methods: readonly string[];
  readonly meters: number;
  /** The hour of the meter's day that a slot counts to; slot 0 is where the series begin. */
  hourOf(slot: number, meter: number): number;
}

const HOURS = 24;

export function createErrorTables({ shape, groups, methods, meters, hourOf }: Options): ErrorTables {
  const tables = new Map(
    groups.map((group) => [
      group.name,
      {
        group,
        below: new Float64Array(QUANTILES.length),
        count: 0,
        byHour: methods.map(() => createMeans(meters, HOURS)),
        byStep: methods.map(() => createMeans(meters, shape.horizons.length)),
      },
    ]),
  );
  const named = (means: readonly Means[], places: readonly number[]) =>
    means.map((one, index) => ({ name: methods[index] ?? '', errors: places.map((place) => one.mean(place)) }));

  return {
    observe({ group, meter, origin, step, actual, quantiles, points }) {
      const table = tables.get(group);
      if (table === undefined) return;
      table.count += 1;
      for (const [index, watts] of quantiles.entries())
        if (actual <= watts) table.below[index] = below(table, index) + 1;
      const hour = hourOf(origin + (shape.horizons[step]?.offset ?? 0), meter);
      const median = quantiles[QUANTILES.indexOf(0.5)] as number;
      for (const [index, watts] of [median, ...points].entries()) {
        const error = Math.abs(actual - watts);
        table.byHour[index]?.add(meter, hour, error);
        table.byStep[index]?.add(meter, step, error);
      }
    },
    groups: () =>
      [...tables.values()].map(({ group, below: counts, count, byHour, byStep }) => ({
        group,
        below: Array.from(counts, (number) => number / count),
        byHour: named(
          byHour,
          Array.from({ length: HOURS }, (_, hour) => hour),
        ),
        byStep: named(byStep, group.steps),
      })),
  };
}

const below = (table: { below: Float64Array }, index: number): number => table.below[index] as number;

interface Means {
  add(meter: number, place: number, error: number): void;
  mean(place: number): number;
}

function createMeans(meters: number, places: number): Means {
  const sums = new Float64Array(meters * places);
  const counts = new Uint32Array(meters * places);
  return {
    add(meter, place, error) {
      const at = meter * places + place;
      sums[at] = (sums[at] as number) + error;
      counts[at] = (counts[at] as number) + 1;
    },
    mean(place) {
      let sum = 0;
      let known = 0;
      for (let at = place; at < sums.length; at += places) {
        if (counts[at] === 0) continue;
        sum += (sums[at] as number) / (counts[at] as number);
        known += 1;
      }
      return sum / known;
    },
  };
}
