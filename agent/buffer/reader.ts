import { type ChangeSeq, changeSeq, type EpochMs, type LogId, type MeterId, type Seq, seq } from '../domain/brand.js';
import type { RecordedDamage } from '../domain/damage.js';
import type { Forecast } from '../domain/forecast.js';
import type { Meter } from '../domain/meter.js';
import type { QualityCount } from '../domain/quality.js';
import type { RejectReason } from '../domain/rejection.js';
import type {
  MeasuredSlots,
  Settled,
  StoredAnomaly,
  StoredReading,
  StoredSlot,
  StreamName,
  Streams,
} from '../domain/stored.js';
import { type Connection, logIdOf, openForReading } from './buffer-file.js';
import { openCursors } from './cursors.js';
import { openDayRows } from './day-rows.js';
import { meterOf, selectMeters } from './meter-book.js';
import { openDamageReads } from './reads/damages.js';
import { openFindings, type RecordedBundle } from './reads/findings.js';
import { openForecastReads } from './reads/forecasts.js';
import { openMeasuredReads } from './reads/measured.js';
import { openMeterKeys } from './reads/meter-keys.js';
import { openQualityReads, type QualityQuery } from './reads/quality.js';
import { openReadingReads } from './reads/readings.js';
import { openRejectedReads, type StoredRejected } from './reads/rejected.js';
import { openSlotReads, type PutLoad } from './reads/slots.js';
import { openStreamReads } from './reads/streams.js';
import { type BufferTotals, openTotals } from './reads/totals.js';
import { openUnsentDays } from './reads/unsent-days.js';
import { newestRowOf } from './row-numbers.js';
import { openSettledReads } from './settled-book.js';
import { slotMsOf } from './slot-width.js';

/** Short reads on a connection of its own; it sees what the writer has committed. */
export interface BufferReader {
  readonly logId: LogId;
  readonly slotMs: number;
  /** Rows beyond `after`, in order; up to and with `upTo` where that is given. */
  stream<S extends StreamName>(name: S, after: number, limit: number, upTo?: number): readonly Streams[S][];
  settled(name: StreamName): Settled;
  head(): { readonly seq: Seq; readonly changeSeq: ChangeSeq };
  analysedUpTo(): ChangeSeq;
  /** Slots whose content changed after `after`; a change that was only a score is left out. */
  slotsToAnalyse(after: ChangeSeq, limit: number): { readonly slots: readonly StoredSlot[]; readonly upTo: ChangeSeq };
  /**
   * The load of every meter over the last days that are analysed, in any order, where anything was heard; in small steps,
   * each of which gives how far what is analysed reaches. All are of the moment of the first, so that nothing else is to be
   * asked of this reader in between.
   */
  readAnalysed(lastDays: number, put: PutLoad): Iterable<ChangeSeq>;
  /** Mean power in watts of whole UTC days (since 1970), NaN where nothing was heard; `toDay` is not among them. */
  loadOf(meter: MeterId, fromDay: number, toDay: number): Float32Array;
  /** As `loadOf`, with all that was measured. */
  measuredOf(meter: MeterId, fromDay: number, toDay: number): MeasuredSlots;
  /** From `fromMs` to before `toMs`, oldest first; for more than some days `measuredOf` is faster. */
  slotsOf(meter: MeterId, fromMs: EpochMs, toMs: EpochMs): readonly StoredSlot[];
  /** The last taken reading of each meter. */
  latestReadings(): readonly StoredReading[];
  readings(query: {
    readonly meter?: MeterId;
    readonly limit: number;
    readonly before?: Seq;
  }): readonly StoredReading[];
  rejected(query: { readonly reason?: RejectReason; readonly limit: number }): readonly StoredRejected[];
  /** All that were ever refused, also those that have made room since. */
  rejectedCounts(): Record<RejectReason, number>;
  /** In order of days; what was counted in the last minute may be missing. */
  quality(query: QualityQuery): Iterable<QualityCount>;
  /** How often each meter is usually heard, as far as it is known. */
  learnedIntervals(): ReadonlyMap<MeterId, number>;
  latestForecast(meter: MeterId): Forecast | undefined;
  anomalies(query: { readonly meter?: MeterId; readonly limit: number }): readonly StoredAnomaly[];
  /** Where the bands of this model had come to, if they were kept. */
  missRatesOf(modelVersion: string): Float64Array | undefined;
  /** Newest first. */
  bundles(): readonly RecordedBundle[];
  /** Files that were found damaged, newest first. */
  damages(): readonly RecordedDamage[];
  meters(): readonly Meter[];
  totals(): BufferTotals;
  /** Rows that the centre has not settled; counting ends at a million. */
  backlog(): Record<StreamName, number>;
  close(): void;
}

export function openReader(path: string): BufferReader {
  const db = openForReading(path);
  try {
    return onConnection(db, path);
  } catch (error) {
    db.close();
    throw error;
  }
}

function onConnection(db: Connection, path: string): BufferReader {
  const logId = logIdOf(db);
  const cursors = openCursors(db, logId);
  const lastSeq = newestRowOf(db);
  const settledRanges = openSettledReads(db, logId);
  const meterKeys = openMeterKeys(db);
  const slotMs = slotMsOf(db);
  const days = openDayRows(db, slotMs);
  const unsent = openUnsentDays(db, days);
  const forecasts = openForecastReads(db, meterKeys, slotMs);
  return {
    logId,
    settled: (name) => ({ logId, ranges: settledRanges(name) }),
    head: () => ({ seq: seq(lastSeq()), changeSeq: changeSeq(cursors.position('change')) }),
    analysedUpTo: () => changeSeq(cursors.position('analysed')),
    meters: () => selectMeters(db).map(meterOf),
    ...openStreamReads(db, { slotMs, unsent, settled: settledRanges }),
    ...openSlotReads(db, { slotMs, days, meterKeys, cursors }),
    ...openMeasuredReads(db, { slotMs, days, meterKeys }),
    ...openReadingReads(db, { meterKeys, cursors, lastSeq }),
    ...openRejectedReads(db),
    ...openQualityReads(db, meterKeys),
    ...openFindings(db, meterKeys),
    ...openDamageReads(db),
    latestForecast: forecasts.latest,
    totals: openTotals(db, path),
    close: () => void db.close(),
  };
}
