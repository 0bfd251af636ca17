import type { AnomalyType } from './anomaly.js';
import type { ChangeSeq, EpochMs, LogId, MeterId, Seq } from './brand.js';
import type { Ranges } from './ranges.js';
import type { TimeSource } from './reading.js';

/**
 * Rows as the buffer keeps them and as they cross to the centre: scaled integers, so that both ends
 * hash alike and small values take few bytes. The unit stands last in each name:
 * dW = 0.1 W, dWh = 0.1 Wh, mWh = 0.001 Wh, cV = 0.01 V, mA, cHz = 0.01 Hz, pm = per mille, e4 = 1/10,000.
 */
export interface StoredReading {
  readonly seq: Seq;
  readonly meter: MeterId;
  readonly takenAtMs: EpochMs;
  readonly timeSource: TimeSource;
  readonly receivedAtMs: EpochMs;
  readonly powerDw: number | null;
  readonly importDwh: number | null;
  readonly exportDwh: number | null;
  readonly voltageCv: number | null;
  readonly currentMa: number | null;
  readonly powerFactorPm: number | null;
  readonly frequencyChz: number | null;
  readonly flags: number;
}

export interface StoredSlot {
  readonly changeSeq: ChangeSeq;
  readonly revision: number;
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  /** How long it is; the same in all of one buffer. */
  readonly slotMinutes: number;
  readonly energyMwh: number;
  readonly meanPowerDw: number;
  readonly minPowerDw: number;
  readonly maxPowerDw: number;
  readonly count: number;
  readonly coveragePm: number;
  readonly minVoltageCv: number | null;
  readonly maxVoltageCv: number | null;
  /** Bits of domain/flags.ts: those of its readings, and `estimated`. */
  readonly flags: number;
  readonly scoreE4: number | null;
  readonly rawScoreE4: number | null;
  readonly modelVersion: string | null;
}

/** What was measured in the slots of a span, in columns; NaN where there is no slot or nothing of the kind. */
export type MeasuredSlots = Readonly<Record<MeasuredColumn, Float64Array>>;
export type MeasuredColumn = keyof Pick<
  StoredSlot,
  | 'energyMwh'
  | 'meanPowerDw'
  | 'minPowerDw'
  | 'maxPowerDw'
  | 'count'
  | 'coveragePm'
  | 'minVoltageCv'
  | 'maxVoltageCv'
  | 'flags'
>;

export interface StoredForecast {
  readonly changeSeq: ChangeSeq;
  readonly revision: number;
  readonly meter: MeterId;
  readonly issuedSlotMs: EpochMs;
  readonly modelVersion: string;
  /** See forecast-packing.ts; opaque to whoever only carries it. */
  readonly packed: Uint8Array;
}

export interface StoredAnomaly {
  readonly changeSeq: ChangeSeq;
  readonly revision: number;
  readonly meter: MeterId;
  readonly slotStartMs: EpochMs;
  readonly scoreE4: number;
  readonly rawScoreE4: number;
  readonly type: AnomalyType;
  readonly expectedMwh: number;
  readonly actualMwh: number;
  /** JSON: [{ feature, share }]. */
  readonly contributions: string;
  /** JSON: figures by name; null where none were kept, or once it was withdrawn. */
  readonly circumstances: string | null;
  readonly sentence: string;
  readonly modelVersion: string;
}

/** What push carries, each with a cursor of its own. */
export interface Streams {
  readonly reading: StoredReading;
  readonly slot: StoredSlot;
  readonly forecast: StoredForecast;
  readonly anomaly: StoredAnomaly;
}

export type StreamName = keyof Streams;
export const STREAM_NAMES = ['reading', 'slot', 'forecast', 'anomaly'] as const satisfies readonly StreamName[];

/** What of a stream the centre has, in `seq` for readings and `change_seq` for the rest. */
export interface Settled {
  readonly logId: LogId;
  readonly ranges: Ranges;
}

const scaled = (factor: number) => ({
  pack: (value: number | undefined): number | null => (value === undefined ? null : Math.round(value * factor)),
  unpack: (stored: number | null): number | undefined => (stored === null ? undefined : stored / factor),
});

/** One place for the factors; a factor is part of the wire contract. */
export const SCALE = {
  powerDw: scaled(10),
  energyDwh: scaled(10),
  energyMwh: scaled(1_000),
  voltageCv: scaled(100),
  currentMa: scaled(1_000),
  powerFactorPm: scaled(1_000),
  frequencyChz: scaled(100),
  coveragePm: scaled(1_000),
  scoreE4: scaled(10_000),
} as const;
