import type { Measure, Reading } from './reading.js';
import { SCALE, type StoredReading } from './stored.js';

/** What was stored, as it was before. */
export function readingOf(row: StoredReading): Reading {
  const { meter, timeSource, flags, takenAtMs, receivedAtMs } = row;
  const reading: Mutable<Reading> = { meter, timeSource, flags, takenAtMs, receivedAtMs };
  // One by one, without a list of them: a hundred thousand readings are remembered at each start.
  put(reading, 'powerW', SCALE.powerDw.unpack(row.powerDw));
  put(reading, 'importWh', SCALE.energyDwh.unpack(row.importDwh));
  put(reading, 'exportWh', SCALE.energyDwh.unpack(row.exportDwh));
  put(reading, 'voltageV', SCALE.voltageCv.unpack(row.voltageCv));
  put(reading, 'currentA', SCALE.currentMa.unpack(row.currentMa));
  put(reading, 'powerFactor', SCALE.powerFactorPm.unpack(row.powerFactorPm));
  put(reading, 'frequencyHz', SCALE.frequencyChz.unpack(row.frequencyChz));
  return reading;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function put(reading: Mutable<Reading>, measure: Measure, value: number | undefined): void {
  if (value !== undefined) reading[measure] = value;
}
