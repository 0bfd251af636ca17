import type { Reading } from './reading.js';
import { SCALE, type StoredReading } from './stored.js';

/** What was stored, as it was before. */
export const readingOf = (row: StoredReading): Reading => ({
  meter: row.meter,
  takenAtMs: row.takenAtMs,
  timeSource: row.timeSource,
  receivedAtMs: row.receivedAtMs,
  powerW: SCALE.powerDw.unpack(row.powerDw),
  importWh: SCALE.energyDwh.unpack(row.importDwh),
  exportWh: SCALE.energyDwh.unpack(row.exportDwh),
  voltageV: SCALE.voltageCv.unpack(row.voltageCv),
  currentA: SCALE.currentMa.unpack(row.currentMa),
  powerFactor: SCALE.powerFactorPm.unpack(row.powerFactorPm),
  frequencyHz: SCALE.frequencyChz.unpack(row.frequencyChz),
  flags: row.flags,
});
