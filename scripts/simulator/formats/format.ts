import type { SimulatedMeter } from '../fleet.js';
import type { Shown } from '../sent-reading.js';

export interface Message {
  readonly topic: string;
  readonly payload: string;
}

/** How a device of some make says what it shows. */
export interface Format {
  readonly name: FormatName;
  /** Without a time of its own a reading counts as taken when it arrives: such a format lives in real time only. */
  readonly hasTime: boolean;
  /** The name under which a gateway knows this meter. */
  meterName(meter: FormatMeter): string;
  encode(meter: FormatMeter, shown: Shown): readonly Message[];
}

export type FormatMeter = Pick<SimulatedMeter, 'id' | 'number' | 'phases'>;

export const FORMAT_NAMES = ['native', 'tasmota', 'shelly', 'zigbee2mqtt', 'dsmr-reader', 'wmbusmeters'] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** A number as these devices print it. */
export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
export const kilo = (value: number, digits = 3): number => rounded(value / 1_000, digits);
