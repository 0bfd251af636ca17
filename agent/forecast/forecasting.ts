import type { History } from '../../models/forecast/history.js';
import { type ForecastRow, HIGH, type Horizon, LOW, MEDIAN, QUANTILES } from '../../models/forecast/horizons.js';
import type { SlotWindows } from '../../models/window/slot-windows.js';
import type { EpochMs, MeterId } from '../domain/brand.js';
import { WattwardenError } from '../domain/errors.js';
import type { PackedForecast } from '../domain/forecast.js';
import { BAND_VALUES, createForecastPacker } from '../domain/forecast-packing.js';

/** What forecasting needs of a model. */
export interface Forecaster {
  readonly version: string;
  readonly horizons: readonly Horizon[];
  predict(histories: readonly History[]): Promise<readonly ForecastRow[]>;
}

export interface Forecasting {
  /** One forecast for each of the meters that has enough history. */
  forecast(meters: Iterable<MeterId>, forecaster: Forecaster): Promise<readonly PackedForecast[]>;
  /** The median that was given for this slot before it was known. */
  expectedW(meter: MeterId, slotStartMs: EpochMs): number | undefined;
}

/** An hour of slots: with less there is nothing that a forecast could rest on. */
const LEAST_SLOTS = 12;

/** Copies of windows live as long as their part: memory must not grow with the number of meters. */
const PART = 512;

/** The medians that were given for the slots from `issuedSlotMs` on. */
interface Expected {
  readonly issuedSlotMs: EpochMs;
  readonly mediansW: Float32Array;
}

export function createForecasting(windows: SlotWindows): Forecasting {
  /** Only the newest of each meter: what it said of the next slots is compared with them as they close. */
  const latest = new Map<MeterId, Expected>();
  const room = windows.allocate(PART);

  async function forecastPart(meters: readonly MeterId[], forecaster: Forecaster): Promise<readonly PackedForecast[]> {
    const ready = meters.flatMap((meter, index) => {
      const history = windows.history(meter, { room: room[index] });
      return history !== undefined && history.window.present >= LEAST_SLOTS ? [{ meter, history }] : [];
    });
    if (ready.length === 0) return [];
    const rows = await forecaster.predict(ready.map(({ history }) => history));
    const pack = createRowPacker(forecaster);
    const mediansW = slotMediansOf(forecaster.horizons);
    return ready.flatMap(({ meter, history }, index) => {
      const row = rows[index];
      if (row === undefined) return [];
      const issuedSlotMs = history.window.endMs;
      latest.set(meter, { issuedSlotMs, mediansW: mediansW(row) });
      return [{ meter, issuedSlotMs, modelVersion: forecaster.version, packed: pack(row) }];
    });
  }

  return {
    async forecast(meters, forecaster) {
      const all = [...meters];
      const forecasts: PackedForecast[] = [];
      for (let from = 0; from < all.length; from += PART) {
        forecasts.push(...(await forecastPart(all.slice(from, from + PART), forecaster)));
      }
      return forecasts;
    },
    expectedW(meter, slotStartMs) {
      const expected = latest.get(meter);
      if (expected === undefined) return undefined;
      const medianW = expected.mediansW[(slotStartMs - expected.issuedSlotMs) / windows.slotMs];
      return medianW === undefined || Number.isNaN(medianW) ? undefined : medianW;
    },
  };
}

function createRowPacker({ horizons, version }: Forecaster): (row: ForecastRow) => Uint8Array {
  const spans = horizons.map(({ offset, slots }) => ({ offsetSlots: offset, slots }));
  const pack = createForecastPacker(spans);
  const bands = new Float64Array(spans.length * BAND_VALUES);
  return ({ watts }) => {
    for (let step = 0, from = 0, to = 0; step < spans.length; step++, from += QUANTILES.length, to += BAND_VALUES) {
      bands[to] = watts[from + LOW] as number;
      bands[to + 1] = watts[from + MEDIAN] as number;
      bands[to + 2] = watts[from + HIGH] as number;
    }
    const packed = pack?.(bands);
    if (packed !== undefined) return packed;
    throw new WattwardenError('bundle.unreadable', `${version}: a forecast has no finite values or no place in time`);
  };
}

/** By how many slots ahead they are; NaN where a forecast leaves one out. */
function slotMediansOf(horizons: readonly Horizon[]): (row: ForecastRow) => Float32Array {
  const single = horizons.flatMap(({ offset, slots }, step) =>
    slots === 1 ? [{ offset, at: step * QUANTILES.length + MEDIAN }] : [],
  );
  const length = single.reduce((most, { offset }) => Math.max(most, offset + 1), 0);
  return ({ watts }) => {
    const medians = new Float32Array(length).fill(Number.NaN);
    for (const { offset, at } of single) medians[offset] = watts[at] as number;
    return medians;
  };
}
