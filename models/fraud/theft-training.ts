import { type Random, seededRandom } from '../../agent/domain/clock.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { windowAt } from '../forecast/samples.js';
import type { MeterSeries, OnProgress } from '../series.js';
import { knowsAtLeast, type SlotWindow } from '../window/slot-windows.js';
import { calibrate } from './calibration.js';
import { type DayModel, trainDayModel } from './day-model.js';
import { gatherEvidence, THEFT_FEATURES, THEFT_LIMITS, writeTheftFeatures } from './features.js';
import { fleetOfSeries } from './fleet-of-series.js';
import type { FleetPower } from './fleet-power.js';
import { scoreRow } from './forest/forest.js';
import { roundThresholds } from './forest/forest-file.js';
import { trainForest } from './forest/forest-training.js';
import type { TheftModel } from './theft-model.js';

/** As many as scikit-learn grows, and still small enough for a cellular link: about 11 KB. */
const TREES = 100;
const SUBSAMPLE = 256;
/** 0.1 % of them are 20 slots: fewer would leave the declared rate to chance, more take time and memory. */
const MOST_ROWS = 20_000;
const FEWEST_ROWS = 32;
/**
 * Clean data hold next to no zeros or flat lines, and a forest never splits where its data do not reach. So one row
 * in ten more is a clean one with a single feature drawn anywhere in its range: enough for two dozen in a tree's
 * subsample. They take no part in calibration.
 */
const BACKDROP_SHARE = 0.1;
/** Seven weeks until the first day can be judged, and as long again to see what is usual. */
const FEWEST_DAYS = 98;
const LEAST_PRESENT = WINDOW_SLOTS / 2;
const MINUTE_MS = 60_000;

/** Median power expected for the slot after each window. */
export type Expect = (windows: readonly SlotWindow[]) => Promise<readonly number[]>;

export interface TheftTrainingOptions {
  readonly series: readonly MeterSeries[];
  readonly seed: number;
  readonly slotMinutes?: number;
  /** Without it the windows' own past stands in, as it does on a gateway that has no forecast yet. */
  readonly expect?: Expect;
  readonly onProgress?: OnProgress;
}

export async function trainTheftModel(options: TheftTrainingOptions): Promise<TheftModel> {
  const { series, seed, slotMinutes = SLOT_MINUTES, expect, onProgress } = options;
  const places = samplePlaces(series);
  if (places.length < FEWEST_ROWS)
    throw new WattwardenError('model.no_data', `${places.length} slots with a day before`);
  const before = places.map(({ of, slot }) => windowAt({ series: of, origin: slot, slotMinutes }));
  const expected = expect === undefined ? [] : await expect(before);
  const width = THEFT_FEATURES.length;
  const backdrop = Math.ceil(places.length * BACKDROP_SHARE);
  const rows = new Float32Array((places.length + backdrop) * width);
  for (const [row, { of, slot }] of places.entries()) {
    const window = windowAt({ series: of, origin: slot + 1, slotMinutes });
    writeTheftFeatures(rows, row * width, gatherEvidence(window, expected[row]));
  }
  onProgress?.({ phase: 'theft', done: 0.5, detail: `evidence of ${places.length} slots` });
  writeBackdrop(rows, places.length, seededRandom(seed));
  const forest = roundThresholds(trainForest({ rows, features: width, trees: TREES, subsample: SUBSAMPLE, seed }));
  const raw = Float64Array.from(places, (_, row) => scoreRow(forest, rows.subarray(row * width, (row + 1) * width)));
  onProgress?.({ phase: 'theft', done: 0.7, detail: `${TREES} trees for slots` });
  const days = trainDays(fleetOfSeries(series, slotMinutes * MINUTE_MS), seed);
  const held = days === undefined ? 'none for days' : 'and a forest for days';
  onProgress?.({ phase: 'theft', done: 1, detail: held });
  const model = { forest, features: THEFT_FEATURES, calibration: calibrate(raw) };
  return days === undefined ? model : { ...model, days };
}

/** Undefined where the series are too short to compare days with days. */
function trainDays(fleet: FleetPower, seed: number): DayModel | undefined {
  if (fleet.days < FEWEST_DAYS) return undefined;
  return trainDayModel({ fleet, clean: { from: 0, to: fleet.days - 1 }, seed, trees: TREES });
}

/** Fills the rows after the first `clean` ones. */
function writeBackdrop(rows: Float32Array, clean: number, random: Random): void {
  const width = THEFT_FEATURES.length;
  for (let row = clean; row * width < rows.length; row++) {
    const like = Math.floor(random() * clean) * width;
    rows.copyWithin(row * width, like, like + width);
    const index = Math.floor(random() * width);
    const feature = THEFT_FEATURES[index];
    if (feature !== undefined) rows[row * width + index] = random() * THEFT_LIMITS[feature];
  }
}

interface Place {
  readonly of: MeterSeries;
  /** The slot that is scored. */
  readonly slot: number;
}

/** Slots that are known and have a day before them, evenly over all meters. */
function samplePlaces(series: readonly MeterSeries[]): Place[] {
  const available = series.reduce((sum, { powerW }) => sum + Math.max(powerW.length - WINDOW_SLOTS, 0), 0);
  // Odd, so that every time of the day comes up.
  const stride = Math.ceil(available / MOST_ROWS) | 1;
  return series.flatMap((of) => {
    const places: Place[] = [];
    for (let slot = WINDOW_SLOTS; slot < of.powerW.length; slot += stride) {
      if (!Number.isFinite(of.powerW[slot])) continue;
      if (knowsAtLeast(windowAt({ series: of, origin: slot }), LEAST_PRESENT)) places.push({ of, slot });
    }
    return places;
  });
}
