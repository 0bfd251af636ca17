import { epochMs } from '../../../agent/domain/brand.js';
import { WattwardenError } from '../../../agent/domain/errors.js';
import { readBundle } from '../../bundle/read.js';
import { openForecaster, openNetwork, type Precision, predictWith } from '../../onnx/session.js';
import { firstSlots, type MeterSeries } from '../../series.js';
import { simulateHomes } from '../../simulated-homes.js';
import { trainForecastPart } from '../../train-forecast.js';
import { fileCheckpoints } from '../../training-files.js';
import { type LoadUnit, loadWideCsv, WideCsvError, wattsPer } from '../../wide-csv.js';
import type { Place } from '../../window/calendar.js';
import { zoneOffset } from '../../window/zone.js';
import { horizonsFor } from '../horizons.js';
import { createSeriesHistory, type ForecastShape, type SeriesHistory } from '../series-history.js';
import type { Baseline } from './baseline.js';
import { BASELINES } from './baselines.js';
import { type Candidate, evaluate, type GroupResult, joinGroups } from './evaluate.js';
import { type Group, parseGroup, usualGroups } from './groups.js';
import { chooseMeters } from './meters.js';

export interface EvalOptions {
  readonly csv?: string;
  readonly step: number;
  readonly unit: LoadUnit | 'auto';
  readonly columns?: readonly string[];
  readonly testFrom?: number;
  readonly horizon?: readonly string[];
  readonly bundle: string;
  readonly train?: true;
  readonly foldsOverMeters?: number;
  readonly epochs?: number;
  readonly seed: number;
  readonly work?: string;
  readonly precision: Precision;
  readonly zone?: string;
  readonly country?: string;
  readonly allMeters?: true;
  readonly trees?: true;
  readonly plainLstm?: true;
}

export interface Evaluation {
  readonly data: string;
  readonly model: string;
  readonly unit: LoadUnit;
  /** Watts in one of that unit. */
  readonly unitW: number;
  readonly slotMinutes: number;
  readonly testFromMs: number;
  readonly seed: number;
  readonly meters: number;
  readonly parameters: number;
  readonly results: Readonly<Record<string, GroupResult>>;
  /** With folds: the same meters by models that were trained on them. */
  readonly trainedOn?: Readonly<Record<string, GroupResult>>;
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
  const series = options.allMeters === true ? loaded.series : chooseMeters(loaded.series, { testFrom, slotMinutes });
  if (series.length === 0) throw new WideCsvError('no meter has enough values; --all-meters takes them all the same');
  tell(
    `${series.length} of ${loaded.series.length} meters; test from ${new Date(startMs + testFrom * slotMs).toISOString()}`,
  );
  const run = createRun(options, { series, testFrom, tell });
  const outcome = await run();
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

interface Prepared {
  readonly series: readonly MeterSeries[];
  readonly testFrom: number;
  readonly tell: Tell;
}

type Outcome = Pick<Evaluation, 'model' | 'parameters' | 'results' | 'trainedOn'>;

interface Ready {
  readonly name: string;
  readonly parameters: number;
  readonly shape: ForecastShape;
  readonly candidate: Candidate;
  close(): Promise<void>;
}

function createRun(options: EvalOptions, { series, testFrom, tell }: Prepared): () => Promise<Outcome> {
  const place: Place | undefined =
    options.zone === undefined && options.country === undefined
      ? undefined
      : { utcOffsetMs: zoneOffset(options.zone ?? 'UTC'), country: options.country };
  const { step, seed } = options;

  async function trained(meters: readonly MeterSeries[], name: string): Promise<Ready> {
    const shape = { slotMinutes: step, horizons: horizonsFor(step) };
    const part = await trainForecastPart({
      series: meters.map((one) => firstSlots(one, testFrom)),
      shape,
      seed,
      epochs: options.epochs,
      place,
      checkpoints: options.work === undefined ? undefined : fileCheckpoints(options.work, `${name}.checkpoint`),
      onProgress: ({ detail }) => tell(`${name}: ${detail}`),
    });
    const network = await openNetwork(part[options.precision], shape);
    const predict = predictWith(network, { shape, calibration: part.calibration, place });
    return {
      name: `trained on ${meters.length} meters`,
      parameters: part.parameters,
      shape,
      candidate: { calibration: part.calibration, predict },
      close: () => network.close(),
    };
  }

  async function shipped(): Promise<Ready> {
    const bundle = await readBundle(options.bundle, step);
    const forecaster = await openForecaster(bundle, options.precision, place);
    const { parameters, slotMinutes, horizons } = bundle.manifest;
    return {
      name: `bundle ${bundle.version}`,
      parameters,
      shape: { slotMinutes, horizons },
      candidate: forecaster,
      close: () => forecaster.close(),
    };
  }

  async function measure(ready: Ready, meters: readonly MeterSeries[]): Promise<Readonly<Record<string, GroupResult>>> {
    const { shape, candidate } = ready;
    const histories = meters.map((one) => createSeriesHistory(one, shape));
    const yardsticks = await slowYardsticks(options, histories);
    return evaluate({
      meters: histories,
      testFrom,
      groups: groupsOf(options.horizon, shape),
      baselines: [...BASELINES, ...yardsticks],
      model: candidate,
    });
  }

  async function using<T>(ready: Ready, work: (ready: Ready) => Promise<T>): Promise<T> {
    try {
      return await work(ready);
    } finally {
      await ready.close();
    }
  }

  return async () => {
    const folds = options.foldsOverMeters ?? 0;
    if (folds < 2) {
      const ready = options.train === true ? await trained(series, 'model') : await shipped();
      const results = await using(ready, () => measure(ready, series));
      return { model: `${ready.name}, ${options.precision}`, parameters: ready.parameters, results };
    }
    const leftOut: Readonly<Record<string, GroupResult>>[] = [];
    const trainedOn: Readonly<Record<string, GroupResult>>[] = [];
    let parameters = 0;
    for (let fold = 0; fold < folds; fold++) {
      const isLeftOut = (index: number) => index % folds === fold;
      const inside = series.filter((_, index) => !isLeftOut(index));
      const outside = series.filter((_, index) => isLeftOut(index));
      if (inside.length === 0 || outside.length === 0) throw new WideCsvError(`${folds} folds need as many meters`);
      const ready = await trained(inside, `fold-${fold + 1}-of-${folds}`);
      parameters = ready.parameters;
      await using(ready, async () => {
        leftOut.push(await measure(ready, outside));
        trainedOn.push(await measure(ready, inside));
      });
    }
    const model = `${folds} trainings, each tested on the meters that it had not seen, ${options.precision}`;
    return { model, parameters, results: joinResults(leftOut), trainedOn: joinResults(trainedOn) };
  };
}

function groupsOf(names: readonly string[] | undefined, shape: ForecastShape): readonly Group[] {
  if (names === undefined) return usualGroups(shape);
  return names.map((name) => {
    const group = parseGroup(name, shape);
    if (group !== undefined) return group;
    const known = usualGroups(shape).map((one) => one.name);
    throw new WattwardenError(
      'bundle.incompatible',
      `horizon ${name}: slots of ${shape.slotMinutes} minutes have ${known.join(', ')}`,
    );
  });
}

async function slowYardsticks(options: EvalOptions, histories: readonly SeriesHistory[]): Promise<readonly Baseline[]> {
  void options;
  void histories;
  return [];
}

/** Folds one after the other: every meter counts once in what was left out. */
function joinResults(folds: readonly Readonly<Record<string, GroupResult>>[]): Readonly<Record<string, GroupResult>> {
  const names = Object.keys(folds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, joinGroups(folds.flatMap((fold) => fold[name] ?? []))]));
}
