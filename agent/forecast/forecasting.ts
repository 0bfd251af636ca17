import { setImmediate } from 'node:timers/promises';
import type { Calibration } from '../../models/forecast/calibration.js';
import { allocateRows } from '../../models/forecast/decode.js';
import type { History } from '../../models/forecast/history.js';
import { type ForecastRow, type Horizon, MEDIAN, QUANTILES } from '../../models/forecast/horizons.js';
import { knowsAtLeast, type MeterHistory, type Room, type SlotWindows } from '../../models/window/slot-windows.js';
import type { EpochMs, MeterId } from '../domain/brand.js';
import { WattwardenError } from '../domain/errors.js';
import type { PackedForecast } from '../domain/forecast.js';
import type { BandState } from '../domain/results.js';
import { type BandWatch, createBandWatch, type Outcome } from './band-watch.js';
import { createLatestMedians } from './latest-medians.js';
import { createRowPacker, type RowPacker } from './row-packer.js';

/** What forecasting needs of a model. */
export interface Forecaster {
  readonly version: string;
  readonly horizons: readonly Horizon[];
  readonly calibration: Calibration;
  /** Where histories are best written; without them each takes memory of its own. */
  readonly rooms?: readonly Room[];
  predict(
    histories: readonly History[],
    factors: Float32Array,
    room: readonly ForecastRow[],
  ): Promise<readonly ForecastRow[]>;
}

export interface Forecasting {
  /** One forecast for each of the meters that has enough history. */
  forecast(meters: Iterable<MeterId>, forecaster: Forecaster): Promise<readonly PackedForecast[]>;
  /** The median that was given for this slot before it was known. */
  expectedW(meter: MeterId, slotStartMs: EpochMs): number | undefined;
  /** Where the bands of the model that forecasts have come to. */
  bands(): BandState | undefined;
}

export interface ForecastingOptions {
  /** Where the bands of this model had come to before the start. */
  readonly bandsOf?: (modelVersion: string) => Float64Array | undefined;
  /** Of the actuals that came with a tick, how many the bands held. */
  readonly onActuals?: (outcome: Outcome) => void;
}

/** An hour of slots: with less there is nothing that a forecast could rest on. */
const LEAST_SLOTS = 12;

/** Copies of windows live as long as their part: memory must not grow with the number of meters. */
const PART = 64;

export function createForecasting(windows: SlotWindows, options: ForecastingOptions = {}): Forecasting {
  /** Only the newest of each meter: what it said of the next slots is compared with them as they close. */
  let latest = createLatestMedians(0, windows.slotMs);
  let rowRoom = allocateRows(PART, 0);
  let watch: { readonly of: Forecaster; readonly bands: BandWatch } | undefined;

  /** Of a model that takes the place of another, from its own calibration on. */
  function bandsFor(forecaster: Forecaster): BandWatch {
    if (watch?.of.version !== forecaster.version || watch.of.calibration !== forecaster.calibration) {
      const missRates = options.bandsOf?.(forecaster.version);
      const { horizons, calibration } = forecaster;
      watch = { of: forecaster, bands: createBandWatch(windows, { horizons, calibration, missRates }) };
    }
    return watch.bands;
  }

  async function forecastPart(
    meters: readonly MeterId[],
    { forecaster, bands, packer, slots }: Form,
  ): Promise<readonly PackedForecast[]> {
    const ready: MeterId[] = [];
    const histories: MeterHistory[] = [];
    for (const meter of meters) {
      const history = windows.history(meter, { room: forecaster.rooms?.[ready.length] });
      if (history === undefined || !knowsAtLeast(history.window, LEAST_SLOTS)) continue;
      ready.push(meter);
      histories.push(history);
    }
    const rows = await forecaster.predict(histories, bands.factors, rowRoom);
    packer.allocate(rows.length);
    return rows.map((row, index) => {
      const meter = ready[index] as MeterId;
      const issuedSlotMs = (histories[index] as MeterHistory).window.endMs;
      bands.follow(meter, issuedSlotMs, row);
      const { mediansW, from, withOutlook } = latest.issue(meter, issuedSlotMs);
      slots.write(row, mediansW, from);
      const packed = withOutlook ? packer.whole(row) : packer.near(row);
      if (packed === undefined) refuse(forecaster);
      return { meter, issuedSlotMs, modelVersion: forecaster.version, packed };
    });
  }

  return {
    async forecast(meters, forecaster) {
      const all = [...meters];
      const { horizons } = forecaster;
      const bands = bandsFor(forecaster);
      const form = { forecaster, bands, packer: createRowPacker(horizons), slots: singleSlotsOf(horizons) };
      if (latest.slots !== form.slots.length) latest = createLatestMedians(form.slots.length, windows.slotMs);
      const width = horizons.length * QUANTILES.length;
      if (rowRoom[0]?.watts.length !== width) rowRoom = allocateRows(PART, width);
      const forecasts: PackedForecast[] = [];
      for (let from = 0; from < all.length; from += PART) {
        // The network computes in this thread, which hears what else there is between two parts.
        if (from > 0) await setImmediate();
        forecasts.push(...(await forecastPart(all.slice(from, from + PART), form)));
      }
      const outcome = bands.learn();
      options.onActuals?.(outcome);
      return forecasts;
    },
    bands: () =>
      watch === undefined ? undefined : { modelVersion: watch.of.version, missRates: watch.bands.missRates.slice() },
    expectedW: (meter, slotStartMs) => latest.at(meter, slotStartMs),
  };
}

/** What the forecasts of one model have in common. */
interface Form {
  readonly forecaster: Forecaster;
  readonly bands: BandWatch;
  readonly packer: RowPacker;
  readonly slots: ReturnType<typeof singleSlotsOf>;
}

function refuse({ version }: Forecaster): never {
  throw new WattwardenError('bundle.unreadable', `${version}: a forecast has no finite values or no place in time`);
}

/** The steps that speak of one slot, by how many slots ahead they are; NaN where a forecast leaves one out. */
function singleSlotsOf(horizons: readonly Horizon[]) {
  const single = horizons.flatMap(({ offset, slots }, step) =>
    slots === 1 ? [{ offset, at: step * QUANTILES.length + MEDIAN }] : [],
  );
  const length = single.reduce((most, { offset }) => Math.max(most, offset + 1), 0);
  return {
    length,
    write({ watts }: ForecastRow, mediansW: Float32Array, from: number): void {
      mediansW.fill(Number.NaN, from, from + length);
      for (const { offset, at } of single) mediansW[from + offset] = watts[at] as number;
    },
  };
}
