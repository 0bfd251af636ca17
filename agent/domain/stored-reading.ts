import type { EpochMs } from './brand.js';
import type { Reading } from './reading.js';
import { SCALE, type StoredReading } from './stored.js';

/** What was stored, as it was before. */
export function readingOf(row: StoredReading): Reading {
  const measured = {
    powerW: SCALE.powerDw.unpack(row.powerDw),
    importWh: SCALE.energyDwh.unpack(row.importDwh),
    exportWh: SCALE.energyDwh.unpack(row.exportDwh),
    voltageV: SCALE.voltageCv.unpack(row.voltageCv),
    currentA: SCALE.currentMa.unpack(row.currentMa),
    powerFactor: SCALE.powerFactorPm.unpack(row.powerFactorPm),
    frequencyHz: SCALE.frequencyChz.unpack(row.frequencyChz),
  };
  const present = Object.fromEntries(Object.entries(measured).filter(([, value]) => value !== undefined));
  const { meter, timeSource, flags } = row;
  return {
    meter,
    timeSource,
    flags,
    takenAtMs: row.takenAtMs as EpochMs,
    receivedAtMs: row.receivedAtMs as EpochMs,
    ...present,
  };
}
