import type { SimulatedMeter } from '../fleet.js';
import { dsmrReader } from './dsmr-reader.js';
import type { Format, FormatName } from './format.js';
import { native } from './native.js';
import { shelly } from './shelly.js';
import { tasmota } from './tasmota.js';
import { wmbusmeters } from './wmbusmeters.js';
import { zigbee2mqtt } from './zigbee2mqtt.js';

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  native,
  tasmota,
  shelly,
  zigbee2mqtt,
  'dsmr-reader': dsmrReader,
  wmbusmeters,
};

/** One after the other over the meters; feeder meters stay with the native one, which nothing is left out of. */
const MIXED: readonly Format[] = [native, tasmota, zigbee2mqtt, wmbusmeters];

export type FormatChoice = FormatName | 'mixed';

export function formatOf(choice: FormatChoice, { number, kind }: SimulatedMeter): Format {
  if (choice !== 'mixed') return FORMATS[choice];
  return kind === 'feeder' ? native : (MIXED[number % MIXED.length] ?? native);
}
