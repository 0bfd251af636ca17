import { z } from 'zod';
import { WattwardenError } from '../../agent/domain/errors.js';
import {
  type Calibration,
  calibrate,
  calibrated,
  calibrationFields,
  packCalibration,
  parseCalibration,
} from './calibration.js';
import { DAY_EVIDENCE, EVIDENCE_WIDTH } from './features/evidence.js';
import { MEAN_DAYS, ROW_WIDTH } from './features/evidence-row.js';
import { type FleetEvidence, gatherFleetEvidence } from './features/fleet-evidence.js';
import type { FleetPower } from './fleet-power.js';
import { explainRow, type IsolationForest, scoreRow, scoreRows } from './forest/forest.js';
import { forestFileSchema, packForest, parseForest, roundThresholds } from './forest/forest-file.js';
import { trainForest } from './forest/forest-training.js';
import {
  learnRarity,
  packRarity,
  parseRarity,
  type Rarity,
  rarityFileSchema,
  rarityOf,
  raritySavings,
} from './rarity.js';
import type { Contribution } from './theft-score.js';

/** Judges a meter's day, or its last 24 hours, against its own past: see features/day-so-far.ts. */
export interface DayModel {
  readonly forest: IsolationForest;
  readonly rarity: Rarity;
  readonly calibration: Calibration;
}

/** All that a raw score needs. */
type Judge = Omit<DayModel, 'calibration'>;

export interface DayScore {
  readonly raw: number;
  /** Calibrated: 0.6 stands for the declared share of clean meter-days. */
  readonly score: number;
  /** By name of the evidence, strongest first; shares of one. */
  readonly contributions: readonly Contribution[];
}

/** As the recipe was tried; half as many do nearly as well, in half the bytes. */
const TREES = 200;
const SUBSAMPLE = 256;
/** Chosen on injected attacks, on homes that were not trained on: the rest is the forest's. */
const RARITY_SHARE = 0.8;
const FEWEST_ROWS = 256;
/** An episode opens on several days, an alarm of a slot stands alone: see decision 0033. */
const DAY_ALARM_SHARE = 0.01;

/** Days of a fleet, both included. */
export interface Days {
  readonly from: number;
  readonly to: number;
}

interface CleanFleet {
  readonly fleet: FleetPower;
  /** Days without theft, as far as is known. */
  readonly clean: Days;
  /** What was gathered of the fleet already. */
  readonly evidence?: FleetEvidence;
}

export interface DayTraining extends CleanFleet {
  readonly seed: number;
  /** Share of clean meter-days that may reach 0.6: a declared false-alarm rate, or the contamination that is expected. */
  readonly alarmShare?: number;
  readonly trees?: number;
}

export function trainDayModel({ seed, trees = TREES, alarmShare, ...of }: DayTraining): DayModel {
  const rows = rowsOf(of);
  const forest = roundThresholds(trainForest({ rows, features: ROW_WIDTH, trees, subsample: SUBSAMPLE, seed }));
  const rarity = learnRarity(rows);
  return { forest, rarity, calibration: calibrateOn({ forest, rarity }, rows, alarmShare) };
}

/** The same model for a fleet that it was not trained on: 0.6 is reached by the given share of this fleet's clean days. */
export function calibrateFor(model: DayModel, { alarmShare, ...of }: Omit<DayTraining, 'seed' | 'trees'>): DayModel {
  return { ...model, calibration: calibrateOn(model, rowsOf(of), alarmShare) };
}

const calibrateOn = (model: Judge, rows: Float32Array, alarmShare = DAY_ALARM_SHARE): Calibration =>
  calibrate(rawScores(model, rows), alarmShare);

/** How odd a day is to the forest, and how rare its evidence, 0..1. */
export const rawScore = ({ forest, rarity }: Judge, row: Float32Array): number =>
  joined(scoreRow(forest, row), rarityOf(rarity, row));

/** The same of many rows, one after the other. */
export const rawScores = ({ forest, rarity }: Judge, rows: Float32Array): Float64Array =>
  scoreRows(forest, rows).map((odd, row) =>
    joined(odd, rarityOf(rarity, rows.subarray(row * ROW_WIDTH, (row + 1) * ROW_WIDTH))),
  );

const joined = (odd: number, rare: number): number => (1 - RARITY_SHARE) * odd + RARITY_SHARE * rare;

function rowsOf({ fleet, clean, evidence = gatherFleetEvidence(fleet) }: CleanFleet): Float32Array {
  const rows: Float32Array[] = [];
  for (const meter of fleet.meters.keys()) {
    for (let day = clean.from; day <= clean.to; day++) {
      const row = evidence.row(meter, day);
      if (row !== undefined) rows.push(row);
    }
  }
  if (rows.length < FEWEST_ROWS) {
    const found = `${rows.length} meter-days have a past to compare with (days 28 to 84 before), and ${FEWEST_ROWS} are needed`;
    throw new WattwardenError('model.no_data', found);
  }
  const flat = new Float32Array(rows.length * ROW_WIDTH);
  for (const [index, row] of rows.entries()) flat.set(row, index * ROW_WIDTH);
  return flat;
}

export function scoreDay({ forest, rarity, calibration }: DayModel, row: Float32Array): DayScore {
  const savings = new Float64Array(ROW_WIDTH);
  const raw = joined(explainRow(forest, row, savings), rarityOf(rarity, row));
  const odd = sharesOf(ofEvidence(row, savings));
  const rare = sharesOf(raritySavings(rarity, row));
  const shares = sharesOf(odd.map((share, index) => joined(share, rare[index] as number)));
  const contributions = DAY_EVIDENCE.map((feature, index) => ({ feature, share: shares[index] as number }));
  return {
    raw,
    score: calibrated(calibration, raw),
    contributions: contributions.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share),
  };
}

/** The day and its means speak for the same evidence; what is not there has not contributed. */
function ofEvidence(row: Float32Array, savings: Float64Array): Float64Array {
  const sums = new Float64Array(EVIDENCE_WIDTH);
  for (const [at, saving] of savings.entries()) {
    const index = at % EVIDENCE_WIDTH;
    if ((row[at] as number) > 0) sums[index] = (sums[index] as number) + Math.max(saving, 0);
  }
  return sums;
}

function sharesOf(parts: Float64Array): Float64Array {
  const total = parts.reduce((sum, part) => sum + part, 0);
  return total > 0 ? parts.map((part) => part / total) : parts;
}

export const dayFileSchema = z.strictObject({
  evidence: z.array(z.string().min(1).max(64)).min(1).max(64),
  meanDays: z.array(z.int().min(1).max(365)).max(8),
  ...calibrationFields,
  forest: forestFileSchema,
  rarity: rarityFileSchema,
});
export type DayFile = z.infer<typeof dayFileSchema>;

export function packDayModel({ forest, rarity, calibration }: DayModel): DayFile {
  return {
    evidence: [...DAY_EVIDENCE],
    meanDays: [...MEAN_DAYS],
    ...packCalibration(calibration),
    forest: packForest(forest),
    rarity: packRarity(rarity),
  };
}

/** The model, or why the file holds none that this version can serve. */
export function parseDayModel(file: DayFile): DayModel | { readonly reason: string } {
  const made = `${file.evidence.join()}; ${file.meanDays.join()}`;
  if (made !== `${DAY_EVIDENCE.join()}; ${MEAN_DAYS.join()}`)
    return { reason: `days made for other evidence: ${made}` };
  if (file.forest.features !== ROW_WIDTH) return { reason: `a forest over ${file.forest.features} numbers of a day` };
  const calibration = parseCalibration(file);
  if (calibration === undefined) return { reason: 'the calibration of days does not rise' };
  const forest = parseForest(file.forest);
  if ('reason' in forest) return forest;
  const rarity = parseRarity(file.rarity);
  if (rarity === undefined) return { reason: 'a rarity of days does not rise' };
  return { forest, rarity, calibration };
}
