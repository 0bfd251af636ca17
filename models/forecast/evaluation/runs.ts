import { firstSlots, type MeterSeries } from '../../series.js';
import { WideCsvError } from '../../wide-csv.js';
import { createSeriesHistory, type ForecastShape } from '../series-history.js';
import type { TrainingRecord } from '../train/checkpoint.js';
import type { Baseline } from './baseline.js';
import { BASELINES } from './baselines.js';
import {
  type CandidateOptions,
  placeOf,
  type Ready,
  shapeOfTraining,
  shippedCandidate,
  trainedCandidate,
} from './candidates.js';
import { evaluate, type GroupResult, joinGroups } from './evaluate.js';
import { type Group, parseGroup, usualGroups } from './groups.js';
import { trainYardsticks, type YardstickOptions } from './yardsticks.js';

export interface RunOptions extends YardstickOptions {
  readonly horizon?: readonly string[];
  readonly folds?: number;
  readonly foldsOverMeters?: number;
}

type Results = Readonly<Record<string, GroupResult>>;

export interface Outcome {
  readonly model: string;
  readonly parameters: number;
  readonly results: Results;
  /** One for each that the evaluation made. */
  readonly trainings: readonly TrainingRecord[];
  /** With folds over meters: the same meters by models that were trained on them. */
  readonly trainedOn?: Results;
}

export interface Data {
  readonly series: readonly MeterSeries[];
  readonly testFrom: number;
  readonly tell: (line: string) => void;
}

type Options = CandidateOptions & RunOptions;

export async function run(options: Options, data: Data): Promise<Outcome> {
  const { train, folds = 1, foldsOverMeters } = options;
  // A training of hours must not end at a word that could be read at once.
  if (train === true || foldsOverMeters !== undefined) groupsOf(options.horizon, shapeOfTraining(options));
  if (foldsOverMeters !== undefined) return overMeters(options, { ...data, folds: foldsOverMeters });
  return overTime(options, { ...data, folds });
}

interface FoldedData extends Data {
  readonly folds: number;
}

/** The test in parts, one after the other: each is forecast by what was trained on everything before it. */
async function overTime(options: Options, { series, testFrom, tell, folds }: FoldedData): Promise<Outcome> {
  const end = Math.max(...series.map(({ powerW }) => powerW.length));
  const part = (end - testFrom) / folds;
  if (part < 1) throw new WideCsvError(`${folds} folds need as many slots`);
  const parts: Results[] = [];
  const trainings: TrainingRecord[] = [];
  let about = { name: '', parameters: 0 };
  for (let fold = 0; fold < folds; fold++) {
    const from = Math.floor(testFrom + fold * part);
    const name = folds === 1 ? 'model' : `part-${fold + 1}-of-${folds}`;
    const ready =
      options.train === true
        ? await trainedCandidate(options, { meters: series, testFrom: from, name, tell })
        : await shippedCandidate(options);
    about = ready;
    if (ready.training !== undefined) trainings.push(ready.training);
    const until = Math.floor(testFrom + (fold + 1) * part);
    await using(ready, async () => {
      const yardsticks = await yardsticksOf(options, { ready, learnt: series, testFrom: from, tell });
      parts.push(await measure(options, { ready, yardsticks, meters: series, testFrom: from, testUntil: until }));
    });
  }
  const rolled = folds === 1 ? '' : `, over ${folds} parts of the test in turn`;
  return {
    model: `${about.name}${rolled}, ${options.precision}`,
    parameters: about.parameters,
    results: joinResults(parts),
    trainings,
  };
}

/** One part of the meters after the other is left out of training and tested on. */
async function overMeters(options: Options, { series, testFrom, tell, folds }: FoldedData): Promise<Outcome> {
  if (series.length < folds) throw new WideCsvError(`${folds} folds need as many meters`);
  const leftOut: Results[] = [];
  const trainedOn: Results[] = [];
  const trainings: TrainingRecord[] = [];
  let parameters = 0;
  for (let fold = 0; fold < folds; fold++) {
    const isLeftOut = (index: number) => index % folds === fold;
    const inside = series.filter((_, index) => !isLeftOut(index));
    const outside = series.filter((_, index) => isLeftOut(index));
    const name = `fold-${fold + 1}-of-${folds}`;
    const ready = await trainedCandidate(options, { meters: inside, testFrom, name, tell });
    parameters = ready.parameters;
    if (ready.training !== undefined) trainings.push(ready.training);
    await using(ready, async () => {
      const yardsticks = await yardsticksOf(options, { ready, learnt: inside, testFrom, tell });
      leftOut.push(await measure(options, { ready, yardsticks, meters: outside, testFrom }));
      trainedOn.push(await measure(options, { ready, yardsticks, meters: inside, testFrom }));
    });
  }
  const model = `${folds} trainings, each tested on the meters that it had not seen, ${options.precision}`;
  return { model, parameters, results: joinResults(leftOut), trainings, trainedOn: joinResults(trainedOn) };
}

async function using(ready: Ready, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } finally {
    await ready.close();
  }
}

interface Learnt extends Omit<Data, 'series'> {
  readonly ready: Ready;
  /** Those that yardsticks may be trained on. */
  readonly learnt: readonly MeterSeries[];
}

function yardsticksOf(options: Options, { ready, learnt, testFrom, tell }: Learnt): Promise<readonly Baseline[]> {
  return trainYardsticks(options, {
    meters: learnt.map((one) => firstSlots(one, testFrom)),
    shape: ready.shape,
    seed: options.seed,
    place: placeOf(options),
    tell,
  });
}

interface Measured {
  readonly ready: Ready;
  readonly yardsticks: readonly Baseline[];
  readonly meters: readonly MeterSeries[];
  readonly testFrom: number;
  readonly testUntil?: number;
}

function measure(options: Options, { ready, yardsticks, meters, testFrom, testUntil }: Measured): Promise<Results> {
  const { shape, candidate } = ready;
  return evaluate({
    meters: meters.map((one) => createSeriesHistory(one, shape)),
    testFrom,
    testUntil,
    groups: groupsOf(options.horizon, shape),
    baselines: [...BASELINES, ...yardsticks],
    model: candidate,
  });
}

function groupsOf(names: readonly string[] | undefined, shape: ForecastShape): readonly Group[] {
  if (names === undefined) return usualGroups(shape);
  return names.map((name) => {
    const group = parseGroup(name, shape);
    if (group !== undefined) return group;
    const known = usualGroups(shape).map((one) => one.name);
    throw new WideCsvError(
      `--horizon ${name}: slots of ${shape.slotMinutes} minutes have ${known.join(', ')} and what lies within`,
    );
  });
}

function joinResults(parts: readonly Results[]): Results {
  const names = Object.keys(parts[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, joinGroups(parts.flatMap((part) => part[name] ?? []))]));
}
