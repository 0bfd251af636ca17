import { checkGolden } from '../../bundle/golden.js';
import { type Bundle, readBundle } from '../../bundle/read.js';
import { openForecaster, openNetwork, predictWith } from '../../forecaster.js';
import { firstSlots, type MeterSeries } from '../../series.js';
import { trainForecastPart } from '../../train-forecast.js';
import { fileCheckpoints } from '../../training-files.js';
import type { Place } from '../../window/calendar.js';
import { zoneOffset } from '../../window/zone.js';
import { horizonsFor } from '../horizons.js';
import type { Precision } from '../network.js';
import type { ForecastShape } from '../series-history.js';
import type { TrainingRecord } from '../train/checkpoint.js';
import type { Candidate } from './evaluate.js';
import { shippedFor } from './shipped.js';

export interface CandidateOptions {
  readonly step: number;
  /** Otherwise the shipped one of this width. */
  readonly bundle?: string;
  readonly train?: true;
  readonly epochs?: number;
  readonly seed: number;
  readonly work?: string;
  readonly precision: Precision;
  readonly zone?: string;
  readonly country?: string;
}

/** What is measured, with what there is to say of it. */
export interface Ready {
  readonly name: string;
  readonly parameters: number;
  readonly shape: ForecastShape;
  readonly candidate: Candidate;
  /** Where it was trained for this evaluation. */
  readonly training?: TrainingRecord | undefined;
  close(): Promise<void>;
}

/** Where the meters of a file stand, as far as it was said. */
export function placeOf({ zone, country }: Pick<CandidateOptions, 'zone' | 'country'>): Place | undefined {
  return zone === undefined && country === undefined ? undefined : { utcOffsetMs: zoneOffset(zone ?? 'UTC'), country };
}

export async function shippedCandidate(options: CandidateOptions): Promise<Ready> {
  const bundle = await readBundle(options.bundle ?? shippedFor(options.step), options.step);
  await checkAnswers(bundle, options.precision);
  const forecaster = await openForecaster(bundle, options.precision, placeOf(options));
  const { parameters, slotMinutes, horizons } = bundle.manifest;
  return {
    name: `bundle ${bundle.version}`,
    parameters,
    shape: { slotMinutes, horizons },
    candidate: forecaster,
    close: () => forecaster.close(),
  };
}

/** As a gateway does before it serves one: horizons or calibration that were changed show in the answers alone. */
async function checkAnswers(bundle: Bundle, precision: Precision): Promise<void> {
  // Golden outputs are those of nowhere.
  const forecaster = await openForecaster(bundle, precision);
  try {
    await checkGolden(bundle, forecaster);
  } finally {
    await forecaster.close();
  }
}

export interface TrainingOptions {
  /** Whole series; nothing from `testFrom` on is looked at. */
  readonly meters: readonly MeterSeries[];
  readonly testFrom: number;
  /** Tells apart the trainings of one evaluation. */
  readonly name: string;
  readonly tell: (line: string) => void;
}

export const shapeOfTraining = ({ step }: Pick<CandidateOptions, 'step'>): ForecastShape => ({
  slotMinutes: step,
  horizons: horizonsFor(step),
});

export async function trainedCandidate(
  options: CandidateOptions,
  { meters, testFrom, name, tell }: TrainingOptions,
): Promise<Ready> {
  const { seed, epochs, work, precision } = options;
  const shape = shapeOfTraining(options);
  const place = placeOf(options);
  const part = await trainForecastPart({
    series: meters.map((one) => firstSlots(one, testFrom)),
    shape,
    seed,
    epochs,
    place,
    checkpoints: work === undefined ? undefined : fileCheckpoints(work, `${name}.checkpoint`),
    onProgress: ({ detail }) => tell(`${name}: ${detail}`),
  });
  const network = await openNetwork(part[precision], shape);
  const predict = predictWith(network, { shape, calibration: part.calibration, place });
  return {
    name: `trained on ${meters.length} meters`,
    parameters: part.parameters,
    shape,
    candidate: { calibration: part.calibration, predict },
    training: part.training,
    close: () => network.close(),
  };
}
