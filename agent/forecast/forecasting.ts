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
  /** One forecast for each of the meters that has enough history, all in one batch. */
  forecast(meters: Iterable<MeterId>, forecaster: Forecaster): Promise<readonly Forecast[]>;
  /** The median that was given for this slot before it was known. */
  expectedW(meter: MeterId, slotStartMs: EpochMs): number | undefined;
}

/** An hour of slots: with less there is nothing that a forecast could rest on. */
const LEAST_SLOTS = 12;

export function createForecasting(windows: SlotWindows): Forecasting {
  /** Only the newest of each meter: what it said of the next slots is compared with them as they close. */
  const latest = new Map<MeterId, Forecast>();

  return {
    async forecast(meters, forecaster) {
      const ready = [...meters].flatMap((meter) => {
        const history = windows.history(meter);
        return history !== undefined && history.window.present >= LEAST_SLOTS ? [{ meter, history }] : [];
      });
      if (ready.length === 0) return [];
      const rows = await forecaster.predict(ready.map(({ history }) => history));
      return ready.flatMap(({ meter, history }, index) => {
        const row = rows[index];
        if (row === undefined) return [];
        const forecast: Forecast = {
          meter,
          issuedSlotMs: history.window.endMs,
          modelVersion: forecaster.version,
          steps: stepsOf(row, forecaster.horizons),
        };
        latest.set(meter, forecast);
        return [forecast];
      });
    },
    expectedW(meter, slotStartMs) {
      const forecast = latest.get(meter);
      if (forecast === undefined) return undefined;
      const offset = (slotStartMs - forecast.issuedSlotMs) / windows.slotMs;
      return forecast.steps.find((step) => step.slots === 1 && step.offsetSlots === offset)?.medianW;
    },
  };
}
