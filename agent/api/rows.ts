import { flagsOf } from '../domain/flags.js';
import { SCALE, type StoredAnomaly, type StoredReading, type StoredSlot } from '../domain/stored.js';
import type { AnomalyRow, ReadingRow, SlotRow } from './wire.js';

/** From the buffer's scaled integers to the units that people read. */

const orNull = (value: number | undefined): number | null => value ?? null;
const orZero = (value: number | undefined): number => value ?? 0;

export function readingRow(reading: StoredReading): ReadingRow {
  return {
    seq: reading.seq,
    meter: reading.meter,
    takenAtMs: reading.takenAtMs,
    receivedAtMs: reading.receivedAtMs,
    timeSource: reading.timeSource,
    powerW: orNull(SCALE.powerDw.unpack(reading.powerDw)),
    importWh: orNull(SCALE.energyDwh.unpack(reading.importDwh)),
    exportWh: orNull(SCALE.energyDwh.unpack(reading.exportDwh)),
    voltageV: orNull(SCALE.voltageCv.unpack(reading.voltageCv)),
    currentA: orNull(SCALE.currentMa.unpack(reading.currentMa)),
    powerFactor: orNull(SCALE.powerFactorPm.unpack(reading.powerFactorPm)),
    frequencyHz: orNull(SCALE.frequencyChz.unpack(reading.frequencyChz)),
    flags: flagsOf(reading.flags),
  };
}

export function slotRow(slot: StoredSlot): SlotRow {
  return {
    startMs: slot.slotStartMs,
    meanW: orZero(SCALE.powerDw.unpack(slot.meanPowerDw)),
    minW: orZero(SCALE.powerDw.unpack(slot.minPowerDw)),
    maxW: orZero(SCALE.powerDw.unpack(slot.maxPowerDw)),
    energyWh: orZero(SCALE.energyMwh.unpack(slot.energyMwh)),
    count: slot.count,
    coverage: orZero(SCALE.coveragePm.unpack(slot.coveragePm)),
    score: orNull(SCALE.scoreE4.unpack(slot.scoreE4)),
  };
}

export function anomalyRow(anomaly: StoredAnomaly): AnomalyRow {
  return {
    meter: anomaly.meter,
    startMs: anomaly.slotStartMs,
    score: orZero(SCALE.scoreE4.unpack(anomaly.scoreE4)),
    type: anomaly.type,
    expectedWh: orZero(SCALE.energyMwh.unpack(anomaly.expectedMwh)),
    actualWh: orZero(SCALE.energyMwh.unpack(anomaly.actualMwh)),
    sentence: anomaly.sentence,
    modelVersion: anomaly.modelVersion,
  };
}
