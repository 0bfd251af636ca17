import type { Horizon } from '../horizons.js';
import type { ForecastShape } from '../series-history.js';

/** Horizons that are reported together: `1` = the next slot, `1-48` = slots 1 to 48 one by one, `24h` = spans of an hour. */
export interface Group {
  readonly name: string;
  /** Positions among the horizons of the shape. */
  readonly steps: readonly number[];
  /** Slots between two forecasts: every slot for the next one, a coprime of the day for longer ones. */
  readonly stride: number;
}

/** No divisor of a day, so that the tests of a meter stand at every time of the day in turn. */
export const LONG_STRIDE = 26;

/** Undefined for what this shape does not forecast, or what is no group. */
export function parseGroup(name: string, { horizons }: ForecastShape): Group | undefined {
  if (name === '24h') return groupOf(name, horizons, ({ slots }) => slots > 1);
  const match = /^(\d+)(?:-(\d+))?$/.exec(name);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  const group = groupOf(name, horizons, ({ offset, slots }) => slots === 1 && offset + 1 >= first && offset < last);
  return group?.steps.length === last - first + 1 ? group : undefined;
}

/** What a table has where nobody asks for anything else. */
export function usualGroups(shape: ForecastShape): readonly Group[] {
  const singles = shape.horizons.filter(({ slots }) => slots === 1).length;
  const names = ['1', `1-${singles}`, ...(singles < shape.horizons.length ? ['24h'] : [])];
  return names.flatMap((name) => parseGroup(name, shape) ?? []);
}

function groupOf(name: string, horizons: readonly Horizon[], fits: (horizon: Horizon) => boolean): Group | undefined {
  const steps = horizons.flatMap((horizon, step) => (fits(horizon) ? [step] : []));
  if (steps.length === 0) return undefined;
  return { name, steps, stride: steps.length === 1 ? 1 : LONG_STRIDE };
}
