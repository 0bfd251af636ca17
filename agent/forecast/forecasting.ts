import type { History } from '../../models/forecast/history.js';
import { type ForecastRow, HIGH, type Horizon, LOW, MEDIAN, QUANTILES } from '../../models/forecast/horizons.js';
import type { MeterHistory, SlotWindows } from '../../models/window/slot-windows.js';
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
const PART = 64;

/** The medians that were given for the slots from `issuedSlotMs` on; the next ones take their place. */
interface Expected {
  issuedSlotMs: EpochMs;
  mediansW: Float32Array;
}

export function createForecasting(windows: SlotWindows): Forecasting {
  /** Only the newest of each meter: what it said of the next slots is compared with them as they close. */
  const latest = new Map<MeterId, Expected>();
  const room = windows.allocate(PART);

  function expect(meter: MeterId, issuedSlotMs: EpochMs, slots: number): Float32Array {
    const known = latest.get(meter);
    if (known?.mediansW.length === slots) {
      known.issuedSlotMs = issuedSlotMs;
      return known.mediansW;
    }
    const mediansW = new Float32Array(slots);
    latest.set(meter, { issuedSlotMs, mediansW });
    return mediansW;
  }

  async function forecastPart(meters: readonly MeterId[], forecaster: Forecaster): Promise<readonly PackedForecast[]> {
    const ready: MeterId[] = [];
    const histories: MeterHistory[] = [];
    for (const meter of meters) {
      const history = windows.history(meter, { room: room[ready.length] });
      if (history === undefined || history.window.present < LEAST_SLOTS) continue;
      ready.push(meter);
      histories.push(history);
    }
    const rows = await forecaster.predict(histories);
    const pack = createRowPacker(forecaster, rows.length);
    const slots = singleSlotsOf(forecaster.horizons);
    const forecasts: PackedForecast[] = [];
    for (const [index, row] of rows.entries()) {
      const meter = ready[index] as MeterId;
      const issuedSlotMs = (histories[index] as MeterHistory).window.endMs;
      slots.write(expect(meter, issuedSlotMs, slots.length), row);
      forecasts.push({ meter, issuedSlotMs, modelVersion: forecaster.version, packed: pack(row, index) });
    }
    return forecasts;
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

/** All of a part in one piece of memory: a small one for each would cost more than packing. */
function createRowPacker({ horizons, version }: Forecaster, rows: number) {
  const spans = horizons.map(({ offset, slots }) => ({ offsetSlots: offset, slots }));
  const packer = createForecastPacker(spans);
  const bytes = packer?.bytes ?? 0;
  const bands = new Float64Array(spans.length * BAND_VALUES);
  const packed = new Uint8Array(rows * bytes);
  return ({ watts }: ForecastRow, index: number): Uint8Array => {
    for (let from = 0, to = 0; to < bands.length; from += QUANTILES.length, to += BAND_VALUES) {
      bands[to] = watts[from + LOW] as number;
      bands[to + 1] = watts[from + MEDIAN] as number;
      bands[to + 2] = watts[from + HIGH] as number;
    }
    const at = index * bytes;
    if (packer?.pack(bands, packed, at)) return packed.subarray(at, at + bytes);
    throw new WattwardenError('bundle.unreadable', `${version}: a forecast has no finite values or no place in time`);
  };
}

/** The steps that speak of one slot, by how many slots ahead they are; NaN where a forecast leaves one out. */
function singleSlotsOf(horizons: readonly Horizon[]) {
  const single = horizons.flatMap(({ offset, slots }, step) =>
    slots === 1 ? [{ offset, at: step * QUANTILES.length + MEDIAN }] : [],
  );
  return {
    length: single.reduce((most, { offset }) => Math.max(most, offset + 1), 0),
    write(mediansW: Float32Array, { watts }: ForecastRow): void {
      mediansW.fill(Number.NaN);
      for (const { offset, at } of single) mediansW[offset] = watts[at] as number;
    },
  };
}
