import { ANOMALY_TYPES } from '../domain/anomaly.js';
import { changeSeq, epochMs, type MeterId, parseMeterId, seq } from '../domain/brand.js';
import { seededRandom } from '../domain/clock.js';
import { invariant } from '../domain/errors.js';
import type { Forecast } from '../domain/forecast.js';
import type { Meter } from '../domain/meter.js';
import { DAY_MS, SLOT_MS, slotStart } from '../domain/slot.js';
import type { MeasuredColumn, StoredAnomaly, StoredReading, StoredSlot } from '../domain/stored.js';
import type { ReadSource } from './source.js';

const HOUR_MS = 3_600_000;

export function meterId(text: string): MeterId {
  const id = parseMeterId(text);
  invariant(id !== undefined, `${text} is a meter id`);
  return id;
}

/** For tests of what stands around the reads: a day of plausible households, without a buffer. */
export function createFakeSource({
  meters: count,
  nowMs,
}: {
  readonly meters: number;
  readonly nowMs: number;
}): ReadSource {
  const meters: Meter[] = Array.from({ length: count }, (_, i) =>
    i < 2 && count > 2
      ? { id: meterId(`feeder-${i + 1}`), kind: 'feeder' }
      : {
          id: meterId(`house-${i + 1}`),
          kind: 'customer',
          feeder: meterId(`feeder-${1 + (i % 2)}`),
          ratedPowerW: 6_000,
        },
  );

  function powerW(index: number, atMs: number): number {
    const random = seededRandom(index * 7_919 + Math.floor(atMs / SLOT_MS));
    const hour = (atMs / HOUR_MS) % 24;
    const peak = (at: number, width: number) => Math.exp(-((((hour - at + 36) % 24) - 12) ** 2) / width);
    const base = 120 + 900 * peak(7.5 + (index % 3) / 2, 2) + 1_600 * peak(19.5 - (index % 4) / 2, 5);
    const kettle = random() < 0.04 ? 1_800 : 0;
    const scale = meters[index]?.kind === 'feeder' ? 11 : 0.6 + (index % 5) / 6;
    return scale * (base * (0.75 + random() / 2) + kettle / (scale > 5 ? 4 : 1));
  }
  const missing = (index: number, atMs: number) =>
    index === 4 && atMs > nowMs - 8 * HOUR_MS && atMs < nowMs - 5.6 * HOUR_MS;
  const silentSince = (index: number) => (index === 6 ? nowMs - 3 * HOUR_MS : nowMs - (index % 9) * 1_000);

  function reading(index: number, takenAtMs: number): StoredReading {
    const power = powerW(index, takenAtMs);
    return {
      seq: seq(Math.floor(takenAtMs / 100)),
      meter: meters[index]?.id ?? meterId('none'),
      takenAtMs: epochMs(takenAtMs),
      timeSource: 'meter',
      receivedAtMs: epochMs(takenAtMs + 40),
      powerDw: Math.round(power * 10),
      importDwh: 31_415_926 + index * 1_000,
      exportDwh: null,
      voltageCv: 23_000 + (index % 7) * 60,
      currentMa: Math.round((power / 230) * 1_000),
      powerFactorPm: null,
      frequencyChz: 5_001,
      flags: 0,
    };
  }

  function slot(index: number, slotStartMs: number): StoredSlot {
    const power = powerW(index, slotStartMs);
    return {
      changeSeq: changeSeq(1),
      revision: 1,
      meter: meters[index]?.id ?? meterId('none'),
      slotStartMs: epochMs(slotStartMs),
      slotMinutes: 5,
      energyMwh: Math.round((power * 1_000) / 12),
      meanPowerDw: Math.round(power * 10),
      minPowerDw: Math.round(power * 6),
      maxPowerDw: Math.round(power * 15),
      count: 30,
      coveragePm: 1_000,
      minVoltageCv: 22_800,
      maxVoltageCv: 23_300,
      flags: 0,
      scoreE4: 1_200,
      rawScoreE4: 4_300,
      modelVersion: 'v7',
    };
  }

  const anomalies: StoredAnomaly[] = Array.from({ length: count === 0 ? 0 : 14 }, (_, i) => {
    const index = (i * 5 + 3) % count;
    const slotStartMs = slotStart(epochMs(nowMs - (i + 1) * 1.6 * HOUR_MS));
    const actualWh = powerW(index, slotStartMs) / 12;
    return {
      meter: meters[index]?.id ?? meterId('none'),
      slotStartMs,
      changeSeq: changeSeq(i + 1),
      revision: 1,
      scoreE4: 9_700 - i * 240,
      rawScoreE4: 7_000,
      type: ANOMALY_TYPES[i % 3] ?? 'unusual_pattern',
      expectedMwh: Math.round(actualWh * 2_400),
      actualMwh: Math.round(actualWh * 1_000),
      contributions: '[]',
      circumstances: null,
      sentence: `Used ${actualWh.toFixed(0)} Wh in five minutes where ${(actualWh * 2.4).toFixed(0)} Wh were expected; lower than on any other day at this hour.`,
      modelVersion: 'v7',
    };
  });

  return {
    slotMs: SLOT_MS,
    head: () => ({ seq: seq(1_000_000), changeSeq: changeSeq(70_000) }),
    meters: () => meters,
    learnedIntervals: () => new Map(meters.map(({ id }) => [id, 60_000])),
    latestReadings: () => meters.map((_, i) => reading(i, silentSince(i))),
    readings: ({ meter, limit }) =>
      Array.from({ length: count === 0 ? 0 : limit }, (_, i) =>
        reading(meter === undefined ? i % count : meters.findIndex((m) => m.id === meter), nowMs - i * 700),
      ),
    slotsOf(meter, fromMs, toMs) {
      const index = meters.findIndex((m) => m.id === meter);
      const slots: StoredSlot[] = [];
      for (let atMs: number = slotStart(fromMs); atMs < Math.min(toMs, silentSince(index)) - SLOT_MS; atMs += SLOT_MS) {
        if (!missing(index, atMs)) slots.push(slot(index, atMs));
      }
      return slots;
    },
    measuredOf(meter, fromDay, toDay) {
      const perDay = DAY_MS / SLOT_MS;
      const column = () => new Float64Array((toDay - fromDay) * perDay).fill(Number.NaN);
      const measured: Record<MeasuredColumn, Float64Array> = {
        energyMwh: column(),
        meanPowerDw: column(),
        minPowerDw: column(),
        maxPowerDw: column(),
        count: column(),
        coveragePm: column(),
        minVoltageCv: column(),
        maxVoltageCv: column(),
        flags: column(),
      };
      const from = epochMs(fromDay * DAY_MS);
      for (const found of this.slotsOf(meter, from, epochMs(toDay * DAY_MS))) {
        const at = (found.slotStartMs - from) / SLOT_MS;
        for (const [name, values] of Object.entries(measured)) values[at] = found[name as MeasuredColumn] ?? Number.NaN;
      }
      return measured;
    },
    latestForecast(meter): Forecast | undefined {
      const index = meters.findIndex((m) => m.id === meter);
      const issuedSlotMs = slotStart(epochMs(nowMs));
      const step = (offsetSlots: number, slots: number) => {
        const middle = issuedSlotMs + (offsetSlots + slots / 2) * SLOT_MS;
        const medianW = Array.from({ length: 12 }, (_, i) =>
          powerW(index, middle - 24 * HOUR_MS + (i - 6) * SLOT_MS),
        ).reduce((sum, w) => sum + w / 12, 0);
        return { offsetSlots, slots, lowW: medianW * 0.55, medianW, highW: medianW * 1.6 };
      };
      const steps = [step(0, 1), step(0, 12), ...Array.from({ length: 23 }, (_, i) => step(12 * (i + 1), 12))];
      return { meter, issuedSlotMs, modelVersion: 'v7', steps };
    },
    anomalies: ({ meter, limit }) => anomalies.filter((a) => meter === undefined || a.meter === meter).slice(0, limit),
    totals: () => ({ readings: 1_284_310, rejected: 42 }),
    rejectedCounts: () => ({ duplicate: 30, not_json: 12, bad_time: 0 }),
    damages: () => [],
    backlog: () => ({ reading: 120, slot: 25, forecast: 25, anomaly: 0 }),
  };
}
