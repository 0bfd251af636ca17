import { AT, RATIO_FLOOR_W, SHAPE_WIDTH, type ShapeColumn } from './day-shape.js';
import { type CentreAndSpread, centreAndSpread, sortedQuantile } from './robust.js';
import { learnLevels, scaledFit, type UsualLevels } from './scaled-fit.js';

/**
 * Evidence of theft in one day of a meter, against the meter's own past. Only the direction that a thief takes counts,
 * so that a home that uses more is no anomaly by itself.
 */
export const DAY_EVIDENCE = [
  'level_drop',
  'floor_drop',
  'whole_drop',
  'new_zeros',
  'zero_run',
  'ties_at_cap',
  'near_cap',
  'new_lows',
  'scaled_fit',
] as const;
export type DayEvidence = (typeof DAY_EVIDENCE)[number];
export const EVIDENCE_WIDTH = DAY_EVIDENCE.length;

/** Beyond it, more of the same says nothing more. */
export const EVIDENCE_LIMIT = 8;

/** Columns that are compared as logarithms. */
const LOG_COLUMNS = ['mean', 'q90', 'q75', 'median', 'floor'] as const;
type LogColumn = (typeof LOG_COLUMNS)[number];
export const DROPS = LOG_COLUMNS.length;
export const DROP_AT = Object.fromEntries(LOG_COLUMNS.map((name, index) => [name, index])) as Readonly<
  Record<LogColumn, number>
>;

/** What is usual for a meter, from days that ended some time ago. */
export interface MeterReference {
  readonly days: number;
  /** Of LOG_COLUMNS. */
  readonly logs: readonly CentreAndSpread[];
  /** Log of the mean power, by weekday from Monday on. */
  readonly level: readonly number[];
  readonly zeros: number;
  readonly zeroRun: number;
  readonly ties: number;
  readonly nearMax: number;
  /** Power below which few slots lie. */
  readonly lowW: number;
  readonly levels: UsualLevels;
}

/** Weights of a reference day for the expected level: of the same weekday, of the same kind of day, of any. */
const WEEKDAY_WEIGHTS = { same: 3, kind: 1.5, other: 1 };
const UNUSUAL = 0.95;

export const logOf = (watts: number): number => Math.log(Math.max(watts, 0) + RATIO_FLOOR_W);

export interface ReferenceDays {
  /** SHAPE_WIDTH numbers of each day, one after the other. */
  readonly shapes: Float32Array;
  readonly weekdays: readonly number[];
  /** As levelsOf gives them. */
  readonly levels: readonly Uint8Array[];
}

export function buildReference({ shapes, weekdays, levels }: ReferenceDays): MeterReference {
  const column = (at: number): Float64Array =>
    Float64Array.from(weekdays, (_, day) => shapes[day * SHAPE_WIDTH + at] as number).filter(Number.isFinite);
  const upper = (at: number) => sortedQuantile(column(at).sort(), UNUSUAL);
  const logs = LOG_COLUMNS.map((name) => centreAndSpread(column(AT[name]).map(logOf)));
  return {
    days: weekdays.length,
    logs,
    level: levelByWeekday(shapes, weekdays),
    zeros: upper(AT.zeros),
    zeroRun: upper(AT.zero_run),
    ties: upper(AT.ties),
    nearMax: upper(AT.near_max),
    lowW: sortedQuantile(column(AT.q05).sort(), 0.25),
    levels: learnLevels(levels),
  };
}

function levelByWeekday(shapes: Float32Array, weekdays: readonly number[]): number[] {
  const logs = weekdays.map((_, day) => logOf(shapes[day * SHAPE_WIDTH + AT.mean] as number));
  return Array.from({ length: 7 }, (_, weekday) => {
    let sum = 0;
    let weights = 0;
    for (const [day, log] of logs.entries()) {
      const other = weekdays[day] as number;
      const kind = other >= 5 === weekday >= 5 ? WEEKDAY_WEIGHTS.kind : WEEKDAY_WEIGHTS.other;
      const weight = other === weekday ? WEEKDAY_WEIGHTS.same : kind;
      if (!Number.isFinite(log)) continue;
      sum += weight * log;
      weights += weight;
    }
    return sum / weights;
  });
}

/** By how much the day lies below the reference, as logarithms, in the order of LOG_COLUMNS. */
export function writeDrops(
  out: Float64Array,
  offset: number,
  { shape, reference, weekday }: { shape: Float32Array; reference: MeterReference; weekday: number },
): void {
  for (const [index, name] of LOG_COLUMNS.entries()) {
    const expected = name === 'mean' ? (reference.level[weekday] as number) : (reference.logs[index]?.centre as number);
    out[offset + index] = expected - logOf(shape[AT[name]] as number);
  }
}

export interface DayToJudge {
  readonly shape: Float32Array;
  readonly powerW: Float32Array;
  readonly reference: MeterReference;
  /** As writeDrops gives them. */
  readonly drops: Float64Array;
  /** What the drops of most other meters are that day: weather and holidays lower all of them. */
  readonly peers: Float64Array;
}

/** Of quantiles from day to day, as logarithms: no home is steadier than this by anything but chance. */
const SPREAD_FLOOR = 0.1;
/** What counts as one unit of evidence: the level as a logarithm, the others as shares of the day's slots. */
const UNIT: Readonly<Record<Exclude<DayEvidence, 'floor_drop' | 'whole_drop'>, number>> = {
  level_drop: 0.1,
  new_zeros: 0.05,
  zero_run: 0.05,
  ties_at_cap: 0.02,
  near_cap: 0.04,
  new_lows: 0.1,
  scaled_fit: 0.05,
};
/** Of the slots of any day so many lie below what few slots lie below. */
const USUAL_LOWS = 0.1;

/** Writes DAY_EVIDENCE at `offset`. */
export function writeEvidence(out: Float32Array, offset: number, day: DayToJudge): void {
  const { shape, powerW, reference, drops, peers } = day;
  const drop = (name: LogColumn) => (drops[DROP_AT[name]] as number) - (peers[DROP_AT[name]] as number);
  const own = (name: LogColumn) => drop(name) / Math.max(reference.logs[DROP_AT[name]]?.spread ?? 0, SPREAD_FLOOR);
  // Whoever is away uses less at most times, but not at all: the second smallest drop is small then.
  const [, whole = 0] = [own('floor'), own('median'), own('q75'), own('q90')].sort((a, b) => a - b);
  const figure = (column: ShapeColumn) => shape[AT[column]] as number;
  const values: Readonly<Record<DayEvidence, number>> = {
    level_drop: drop('mean') / UNIT.level_drop,
    floor_drop: own('floor'),
    whole_drop: whole,
    new_zeros: (figure('zeros') - reference.zeros) / UNIT.new_zeros,
    zero_run: (figure('zero_run') - reference.zeroRun) / UNIT.zero_run,
    ties_at_cap: (figure('ties') - reference.ties) / UNIT.ties_at_cap,
    near_cap: (figure('near_max') - reference.nearMax) / UNIT.near_cap,
    new_lows: (shareBelow(powerW, reference.lowW) - USUAL_LOWS) / UNIT.new_lows,
    scaled_fit: scaledFit(powerW, reference.levels) / UNIT.scaled_fit,
  };
  for (const [index, name] of DAY_EVIDENCE.entries()) {
    const value = values[name];
    out[offset + index] = Number.isFinite(value) ? Math.min(Math.max(value, 0), EVIDENCE_LIMIT) : 0;
  }
}

function shareBelow(powerW: Float32Array, limitW: number): number {
  let below = 0;
  let count = 0;
  for (const watts of powerW) {
    if (Number.isNaN(watts)) continue;
    count += 1;
    if (watts < limitW) below += 1;
  }
  return count === 0 ? 0 : below / count;
}
