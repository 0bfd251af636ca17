import { createTally, type Tally } from './scores.js';

/** Errors of the sum of all meters, or their means over parts. Watts where not a ratio. */
export interface AggregateScores {
  readonly mae: number;
  readonly rmse: number;
  /** Mean of the errors as shares of what was measured; missing where the sum comes near zero. */
  readonly mape?: number;
  /** NaN where the sum never changes. */
  readonly r2: number;
}

export interface Aggregate {
  /** One meter's actual and what each method said, in their order; all of one origin before those of the next. */
  add(origin: number, step: number, seen: { readonly actual: number; readonly forecasts: readonly number[] }): void;
  /** By method. */
  scores(): Readonly<Record<string, AggregateScores>>;
}

interface Options {
  readonly methods: readonly string[];
  readonly meters: number;
  readonly steps: number;
}

/** Below this share of the meters a sum is not that of all. */
const LEAST_METERS = 0.9;
/** Of the mean load: where the sum ever falls below it, shares say more of the measured than of the forecast. */
const NEAR_ZERO = 0.1;

/** The sum of the meters that were scored at each slot, where nearly all were; a forecast of it is the sum of forecasts. */
export function createAggregate({ methods, meters, steps }: Options): Aggregate {
  const tallies: readonly Tally[] = methods.map(createTally);
  const shares = methods.map(() => 0);
  /** For each step: how many meters, the sum of their actuals, and that of each method. */
  const width = 2 + methods.length;
  const sums = new Float64Array(steps * width);
  let current = Number.NaN;
  let lowest = Number.POSITIVE_INFINITY;
  let total = 0;
  let count = 0;

  function settle(): void {
    for (let at = 0; at < sums.length; at += width) {
      const [known = 0, actual = 0, ...forecasts] = sums.subarray(at, at + width);
      if (known === 0 || known < LEAST_METERS * meters) continue;
      count += 1;
      total += actual;
      lowest = Math.min(lowest, actual);
      for (const [method, forecast] of forecasts.entries()) {
        tallies[method]?.add(actual, { median: forecast, mean: forecast });
        shares[method] = (shares[method] as number) + Math.abs(forecast - actual) / actual;
      }
    }
    sums.fill(0);
  }

  return {
    add(origin, step, { actual, forecasts }) {
      if (origin !== current) settle();
      current = origin;
      const row = sums.subarray(step * width, (step + 1) * width);
      for (const [at, value] of [1, actual, ...forecasts].entries()) row[at] = (row[at] as number) + value;
    },
    scores() {
      settle();
      if (count === 0) return {};
      const isFarFromZero = lowest > (NEAR_ZERO * total) / count;
      return Object.fromEntries(
        tallies.map(({ mae, rmse, r2 }, method) => [
          methods[method],
          { mae, rmse, ...(isFarFromZero ? { mape: (shares[method] as number) / count } : {}), r2 },
        ]),
      );
    },
  };
}

/** Of separate runs: every part counts the same. */
export function joinAggregates(
  parts: readonly Readonly<Record<string, AggregateScores>>[],
): Readonly<Record<string, AggregateScores>> {
  const names = new Set(parts.flatMap((part) => Object.keys(part)));
  return Object.fromEntries(
    [...names].map((name) => {
      const all = parts.flatMap((part) => part[name] ?? []);
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const mapes = all.flatMap(({ mape }) => mape ?? []);
      return [
        name,
        {
          mae: mean(all.map(({ mae }) => mae)),
          rmse: mean(all.map(({ rmse }) => rmse)),
          ...(mapes.length === all.length ? { mape: mean(mapes) } : {}),
          r2: mean(all.map(({ r2 }) => r2).filter(Number.isFinite)),
        },
      ];
    }),
  );
}
