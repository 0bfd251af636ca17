import type { History } from '../../models/forecast/history.js';
import { type ForecastRow, type Horizon, stepsOf } from '../../models/forecast/horizons.js';
import type { SlotWindows } from '../../models/window/slot-windows.js';
import type { EpochMs, MeterId } from '../domain/brand.js';
import type { Forecast } from '../domain/forecast.js';

/** What forecasting needs of a model. */
export interface Forecaster {
  readonly version: string;
  readonly horizons: readonly Horizon[];
  predict(histories: readonly History[]): Promise<readonly ForecastRow[]>;
}

export interface Forecasting {
  /** One forecast for each of the meters that has enough history. */
  forecast(meters: Iterable<MeterId>, forecaster: Forecaster): Promise<readonly Forecast[]>;
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

  async function forecastPart(meters: readonly MeterId[], forecaster: Forecaster): Promise<readonly Forecast[]> {
    const ready = meters.flatMap((meter) => {
      const history = windows.history(meter);
      return history !== undefined && history.window.present >= LEAST_SLOTS ? [{ meter, history }] : [];
    });
    if (ready.length === 0) return [];
    const rows = await forecaster.predict(ready.map(({ history }) => history));
    return ready.flatMap(({ meter, history }, index) => {
      const row = rows[index];
      if (row === undefined) return [];
      const issuedSlotMs = history.window.endMs;
      const steps = stepsOf(row, forecaster.horizons);
      latest.set(meter, { issuedSlotMs, mediansW: slotMedians(steps) });
      return [{ meter, issuedSlotMs, modelVersion: forecaster.version, steps }];
    });
  }

  return {
    async forecast(meters, forecaster) {
      const all = [...meters];
      const forecasts: Forecast[] = [];
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

/** By how many slots ahead they are; NaN where a forecast leaves one out. */
function slotMedians(steps: Forecast['steps']): Float32Array {
  const single = steps.filter(({ slots }) => slots === 1);
  const medians = new Float32Array(single.reduce((most, step) => Math.max(most, step.offsetSlots + 1), 0));
  medians.fill(Number.NaN);
  for (const { offsetSlots, medianW } of single) medians[offsetSlots] = medianW;
  return medians;
}
