import { type GroupResult, MODEL } from '../evaluation/evaluate.js';
import type { Group } from '../evaluation/groups.js';
import type { History } from '../history.js';
import { type ForecastRow, HIGH, LOW, MEDIAN, QUANTILES, reachOf, slotsPerDay, wattsAt } from '../horizons.js';
import type { SeriesHistory } from '../series-history.js';
import { drawPanels, type Panel, type Point } from './panels.js';

interface Options {
  readonly meters: readonly SeriesHistory[];
  /** First slot of the test. */
  readonly testFrom: number;
  /** Of the first and the last group of horizons. */
  readonly groups: readonly Group[];
  readonly results: Readonly<Record<string, GroupResult>>;
  predict(histories: readonly History[]): Promise<readonly ForecastRow[]>;
}

const NEXT_SLOT_SLOTS = 144;
const DAYS = 3;
const OUTER = '#cfe3f3';
const INNER = '#8dbbe0';
const QUARTERS = [QUANTILES.indexOf(0.25), QUANTILES.indexOf(0.75)] as const;

/** Forecasts of the last days of the test beside what came, of the meter that is neither well nor badly forecast. */
export async function bandPlot({ meters, testFrom, groups, results, predict }: Options): Promise<string> {
  const [next] = groups;
  const day = groups.at(-1);
  const meter = typicalMeter(meters, results[next?.name ?? '']);
  if (meter === undefined || next === undefined || day === undefined) return drawPanels([]);
  const { slotMinutes, horizons } = meter.shape;
  const perDay = slotsPerDay(slotMinutes);
  const end = meter.series.powerW.length;
  const hour = 60 / slotMinutes;

  const near = upTo(end - 1, { every: 1, count: Math.min(NEXT_SLOT_SLOTS, perDay), from: testFrom });
  const reach = reachOf(day.steps.map((step) => horizons[step] ?? { offset: 0, slots: 0 }));
  const days = upTo(end - reach, { every: perDay, count: DAYS, from: testFrom });
  const draw = async (title: string, origins: readonly number[], steps: readonly number[]): Promise<Panel> => {
    const rows = await predict(origins.map((origin) => meter.at(origin)));
    const actuals = new Float64Array(horizons.length);
    const first = origins[0] ?? 0;
    const seen = origins.flatMap((origin, index) => {
      meter.actualsAt(origin, actuals);
      return steps.map((step) => {
        const { offset = 0, slots = 1 } = horizons[step] ?? {};
        const x = (origin + offset + slots / 2 - first) / hour;
        return { x, row: rows[index], step, actual: actuals[step] as number };
      });
    });
    const at = (quantile: number): Point[] =>
      seen.map(({ x, row, step }) => [x, row === undefined ? Number.NaN : wattsAt(row, step, quantile)]);
    const to = Math.ceil(seen.at(-1)?.x ?? 1);
    return {
      title,
      xTitle: 'hours',
      yTitle: 'W',
      x: [0, to],
      xTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => share * to),
      areas: [
        { name: '5 to 95 %', colour: OUTER, lower: at(LOW), upper: at(HIGH) },
        { name: '25 to 75 %', colour: INNER, lower: at(QUARTERS[0]), upper: at(QUARTERS[1]) },
      ],
      lines: [
        { name: 'median', points: at(MEDIAN) },
        { name: 'what came', colour: '#262626', points: seen.map(({ x, actual }) => [x, actual]) },
      ],
    };
  };

  const panels = [await draw(`The next ${slotMinutes} minutes, one after the other`, near, next.steps)];
  // A test of less than a day has none.
  if (days.length > 0) panels.push(await draw('The next day, forecast once a day', days, day.steps));
  return drawPanels(panels);
}

/** In the middle by its error against the same time yesterday. */
function typicalMeter(meters: readonly SeriesHistory[], result: GroupResult | undefined): SeriesHistory | undefined {
  const ranked = (result?.perMeter ?? []).toSorted(
    (a, b) => (a.scores[MODEL]?.mase_vs_seasonal ?? 0) - (b.scores[MODEL]?.mase_vs_seasonal ?? 0),
  );
  const middle = ranked[ranked.length >> 1]?.meter;
  return meters.find(({ series }) => series.meter === middle);
}

/** The last so many of the places that lie `every` slots apart, `last` among them, and not before `from`. */
function upTo(last: number, { every, count, from }: { every: number; count: number; from: number }): number[] {
  return Array.from({ length: count }, (_, index) => last - (count - 1 - index) * every).filter((at) => at >= from);
}
