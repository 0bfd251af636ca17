import { epochMs } from '../../../agent/domain/brand.js';
import { type MeterSeries, neverChanges } from '../../series.js';
import { simulateHomes } from '../../simulated-homes.js';
import { type LoadUnit, loadWideCsv, WideCsvError, wattsPer } from '../../wide-csv.js';
import type { CandidateOptions } from './candidates.js';
import { chooseMeters } from './meters.js';
import { type Outcome, type RunOptions, run } from './runs.js';

export interface EvalOptions extends CandidateOptions, RunOptions {
  readonly csv?: string;
  readonly unit: LoadUnit | 'auto';
  readonly columns?: readonly string[];
  readonly testFrom?: number;
  readonly allMeters?: true;
}

export interface Evaluation extends Outcome {
  readonly data: string;
  readonly unit: LoadUnit;
  /** Watts in one of that unit. */
  readonly unitW: number;
  readonly slotMinutes: number;
  readonly testFromMs: number;
  readonly seed: number;
  readonly meters: number;
}

type Tell = (line: string) => void;

interface Loaded {
  readonly data: string;
  readonly unit: LoadUnit;
  readonly series: readonly MeterSeries[];
}

/** Homes that no shipped bundle has seen: another seed. */
const HELD_OUT = { homes: 30, days: 42, seed: 90_210, startMs: epochMs(Date.UTC(2024, 0, 1)) };
const TEST_SHARE = 0.2;
const NOTHING_SCORED =
  'no slot of the test has both an actual and every baseline; those need a week before the test, and the horizon after it';

export async function evaluateFile(options: EvalOptions, tell: Tell): Promise<Evaluation> {
  const slotMinutes = options.step;
  const loaded = await load(options, tell);
  const [first] = loaded.series;
  const slotMs = slotMinutes * 60_000;
  const slots = first?.powerW.length ?? 0;
  const startMs = first?.startMs ?? 0;
  const testFrom =
    options.testFrom === undefined
      ? Math.floor(slots * (1 - TEST_SHARE))
      : Math.ceil((options.testFrom - startMs) / slotMs);
  if (testFrom < 1 || testFrom >= slots) throw new WideCsvError('the test would begin outside of the file');
  const moving = loaded.series.filter((one) => !neverChanges(one));
  if (moving.length === 0) throw new WideCsvError('no meter ever changes: no error on it would say anything');
  const series = options.allMeters === true ? moving : chooseMeters(moving, { testFrom, slotMinutes });
  if (series.length === 0) throw new WideCsvError('no meter has enough values; --all-meters takes them all the same');
  tell(
    `${series.length} of ${loaded.series.length} meters; test from ${new Date(startMs + testFrom * slotMs).toISOString()}`,
  );
  const outcome = await run(options, { series, testFrom, tell });
  for (const [name, { perMeter }] of Object.entries(outcome.results)) {
    if (perMeter.length === 0) throw new WideCsvError(`horizon ${name}: ${NOTHING_SCORED}`);
  }
  return {
    data: loaded.data,
    unit: loaded.unit,
    unitW: wattsPer(loaded.unit, slotMinutes),
    slotMinutes,
    testFromMs: startMs + testFrom * slotMs,
    seed: options.seed,
    meters: series.length,
    ...outcome,
  };
}

async function load(options: EvalOptions, tell: Tell): Promise<Loaded> {
  if (options.csv === undefined) {
    const { homes, days, seed } = HELD_OUT;
    const data = `${homes} simulated homes, ${days} days, seed ${seed}`;
    return { data, unit: 'W', series: simulateHomes({ ...HELD_OUT, slotMinutes: options.step }) };
  }
  const { series, unit, leftOut } = await loadWideCsv(options.csv, {
    slotMinutes: options.step,
    unit: options.unit,
    columns: options.columns,
  });
  if (leftOut.length > 0) tell(`not taken for meters: ${leftOut.join(', ')} (--columns says which are)`);
  tell(`read as ${unit} per ${options.step} minutes`);
  return { data: options.csv, unit, series };
}
