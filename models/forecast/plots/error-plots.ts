import type { Group } from '../evaluation/groups.js';
import { QUANTILES } from '../horizons.js';
import type { ForecastShape } from '../series-history.js';
import type { GroupErrors, MethodErrors } from './error-tables.js';
import { drawPanels, type Panel } from './panels.js';

/** How groups of horizons are called where people read of them. */
export function groupTitle(name: string): string {
  if (name === '1') return 'The next slot';
  return name === '24h' ? 'The next day, hour by hour' : `Slots ${name}`;
}

/** And methods. */
const METHODS: Readonly<Record<string, string>> = {
  model: 'this model',
  persistence: 'the last value',
  seasonal_day: 'same time yesterday',
  seasonal_week: 'same time last week',
  median_28d: 'median of 28 days',
  ridge: 'ridge on the last 288 slots',
};

const PERCENT = 100;
const ALL_PERCENT: readonly [number, number] = [0, PERCENT];
const PERCENT_TICKS = [0, 25, 50, 75, 100];

/** How many actuals lay below a quantile, against how many should have. */
export function reliabilityPlot(groups: readonly GroupErrors[]): string {
  const levels = QUANTILES.map((level) => level * PERCENT);
  const panel: Panel = {
    title: 'Reliability: actuals at or below each quantile',
    xTitle: 'should be, %',
    yTitle: 'were, %',
    x: ALL_PERCENT,
    y: ALL_PERCENT,
    xTicks: PERCENT_TICKS,
    lines: [
      ...groups.map(({ group, below }) => ({
        name: groupTitle(group.name),
        points: below.map((share, index) => [levels[index] as number, share * PERCENT] as const),
      })),
      { name: 'as it should be', colour: '#a3a3a3', points: [[0, 0] as const, [PERCENT, PERCENT] as const] },
    ],
  };
  return drawPanels([panel]);
}

/** `zone` is what the hours are counted in. */
export function hourPlot(groups: readonly GroupErrors[], zone: string): string {
  return drawPanels(
    ends(groups).map(({ group, byHour }) => ({
      title: `Error by hour. ${groupTitle(group.name)}`,
      xTitle: `hour of the day that is forecast, ${zone}`,
      yTitle: 'mean absolute error, W',
      x: [0, 23],
      xTicks: [0, 6, 12, 18, 23],
      lines: linesOf(byHour, (hour) => hour),
    })),
  );
}

export function horizonPlot(groups: readonly GroupErrors[], shape: ForecastShape): string {
  return drawPanels(
    groups
      .filter(({ group }) => group.steps.length > 1)
      .map(({ group, byStep }) => {
        const { unit, ends: ahead } = timesAhead(group, shape);
        const farthest = Math.max(...ahead);
        return {
          title: `Error by horizon. ${groupTitle(group.name)}`,
          xTitle: `${unit} ahead`,
          yTitle: 'mean absolute error, W',
          x: [ahead[0] ?? 0, farthest],
          xTicks: [0.25, 0.5, 0.75, 1].map((share) => farthest * share),
          lines: linesOf(byStep, (step) => ahead[step] ?? 0),
        };
      }),
  );
}

/** The shortest group and the longest; the same one where there is but one. */
const ends = (groups: readonly GroupErrors[]): readonly GroupErrors[] =>
  groups.filter((_, index) => index === 0 || index === groups.length - 1);

const linesOf = (methods: readonly MethodErrors[], x: (place: number) => number) =>
  methods.map(({ name, errors }) => ({
    name: METHODS[name] ?? name,
    points: errors.map((error, place) => [x(place), error] as const),
  }));

/** When each step of a group ends, in minutes or, where they go beyond two hours, in hours. */
function timesAhead({ steps }: Group, { slotMinutes, horizons }: ForecastShape) {
  const minutes = steps.map((step) => {
    const { offset = 0, slots = 0 } = horizons[step] ?? {};
    return (offset + slots) * slotMinutes;
  });
  const isLong = Math.max(...minutes) > 120;
  return isLong ? { unit: 'hours', ends: minutes.map((one) => one / 60) } : { unit: 'minutes', ends: minutes };
}
