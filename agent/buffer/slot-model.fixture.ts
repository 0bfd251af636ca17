import type { MeterId } from '../domain/brand.js';
import type { Reading } from '../domain/reading.js';
import type { StoredSlot } from '../domain/stored.js';

/** What a buffer must have made of readings, worked out from what the words mean, with nothing of how it does it. */
export interface SlotModel {
  take(readings: readonly Reading[]): void;
  /** Rows of the log, distinct or not. */
  readonly rows: number;
  /** In order of the log, the first of each moment. */
  distinct(): readonly Reading[];
  slots(): ReadonlyMap<string, ModelSlot>;
}

export interface ModelSlot {
  readonly count: number;
  readonly power: { readonly meanDw: number; readonly minDw: number; readonly maxDw: number } | undefined;
  readonly voltage: { readonly minCv: number; readonly maxCv: number } | undefined;
}

const SLOT_MS = 300_000;

export const placeOf = (meter: MeterId, slotStartMs: number): string => `${meter} ${slotStartMs}`;

export function createSlotModel(): SlotModel {
  const first = new Map<string, Reading>();
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    take(readings) {
      for (const reading of readings) {
        rows += 1;
        const moment = `${reading.meter} ${reading.takenAtMs}`;
        if (!first.has(moment)) first.set(moment, reading);
      }
    },
    distinct: () => [...first.values()],
    slots() {
      const groups = new Map<string, Reading[]>();
      for (const reading of first.values()) {
        const place = placeOf(reading.meter, reading.takenAtMs - (reading.takenAtMs % SLOT_MS));
        groups.set(place, [...(groups.get(place) ?? []), reading]);
      }
      return new Map([...groups].map(([place, readings]) => [place, slotOf(readings)]));
    },
  };
}

function slotOf(readings: readonly Reading[]): ModelSlot {
  const powers = readings.flatMap(({ powerW }) => (powerW === undefined ? [] : [Math.round(powerW * 10)]));
  const volts = readings.flatMap(({ voltageV }) => (voltageV === undefined ? [] : [Math.round(voltageV * 100)]));
  const meanDw = Math.round(powers.reduce((sum, dw) => sum + dw, 0) / Math.max(1, powers.length));
  return {
    count: readings.length,
    power: powers.length === 0 ? undefined : { meanDw, minDw: Math.min(...powers), maxDw: Math.max(...powers) },
    voltage: volts.length === 0 ? undefined : { minCv: Math.min(...volts), maxCv: Math.max(...volts) },
  };
}

/** The same of a slot as it was stored. */
export function modelled(slot: StoredSlot, { power }: ModelSlot): ModelSlot {
  const { count, meanPowerDw, minPowerDw, maxPowerDw, minVoltageCv, maxVoltageCv } = slot;
  return {
    count,
    power: power === undefined ? undefined : { meanDw: meanPowerDw, minDw: minPowerDw, maxDw: maxPowerDw },
    voltage: minVoltageCv === null || maxVoltageCv === null ? undefined : { minCv: minVoltageCv, maxCv: maxVoltageCv },
  };
}
