import type { ChangeSeq, EpochMs, LogId, MeterId, Seq } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import { codeOf, messageOf } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Meter } from '../domain/meter.js';
import type { Note } from '../domain/quality.js';
import type { Reading } from '../domain/reading.js';
import type { Rejected } from '../domain/rejection.js';
import type { AnalysisResult, BundleState } from '../domain/results.js';
import { SLOT_MINUTES, type SlotMinutes } from '../domain/slot.js';
import type { StreamName, StreamPosition } from '../domain/stored.js';
import { openAnalysisStore } from './analysis-store.js';
import { startBoot } from './boot.js';
import { type Connection, closeForWriting, logIdOf, openForWriting } from './buffer-file.js';
import { type Heard, openHeardBook } from './heard-book.js';
import { openMeterBook } from './meter-book.js';
import { openMeterStates } from './meter-state.js';
import { openModelBook } from './model-book.js';
import { NO_METER, openQualityBook } from './quality-book.js';
import { openReadingLog, type ReadingLog } from './reading-log.js';
import { openRejectedLog } from './rejected-log.js';
import { openRetention, type Pruned } from './retention.js';
import { type LogRow, openSlotBook, type SlotBook } from './slot-book.js';
import type { Packing } from './slot-days.js';
import { claimSlotWidth } from './slot-width.js';
import { createTransactions } from './transactions.js';
import { takeWriterLock, type WriterLock } from './writer-lock.js';

export interface BufferOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A file keeps the width that it was made with; another one is an error. */
  readonly slotMinutes?: SlotMinutes;
  /** How long a slot waits after its end, at most, for readings that are on their way. */
  readonly slotGraceMs: number;
  readonly maxRejected: number;
  readonly maxRejectedBytes: number;
  readonly retentionMs: number;
  /** With a centre: what it has not settled is not dropped. */
  readonly keepUnsettled: boolean;
  /** With models: what they have not seen is not packed. */
  readonly keepUnanalysed?: boolean;
}

export interface Batch {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
  /** Words for the flags of the readings, for the report of data quality. */
  readonly notes?: readonly Note[];
}

/** The only writer. Every method is synchronous; when it returns, what it wrote is on disk. */
export interface Buffer {
  readonly logId: LogId;
  commit(batch: Batch): { readonly seq: Seq };
  closeSlots(
    now: EpochMs,
    limit: number,
  ): { readonly closed: number; readonly more: boolean; readonly changeSeq: ChangeSeq };
  /** Packs some of the oldest finished days; go on while there is more. */
  packDays(now: EpochMs): Packing;
  storeAnalysis(result: AnalysisResult): ChangeSeq;
  settle(stream: StreamName, position: StreamPosition): void;
  recordBundle(state: BundleState, atMs: EpochMs): void;
  registerMeters(meters: readonly Meter[]): void;
  /** Lives: a meter that commit or registerMeters adds appears in it. */
  registeredMeters(): ReadonlyMap<MeterId, Meter>;
  /** Lives: when a meter was last heard since the start, and how often it usually is. */
  heard(meter: MeterId): Heard;
  /** The newest rows of each meter as far as the end of the log shows them, oldest first. */
  recentReadings(limitPerMeter: number): Iterable<Reading>;
  /** Drops the packed days of so many meters that ended before this, oldest first; says of how many. */
  pruneDays(cutoff: EpochMs, limit: number): number;
  /** One bounded step; go on while there is more. */
  prune(now: EpochMs): Pruned;
  head(): { readonly seq: Seq; readonly changeSeq: ChangeSeq };
  /** Safe to call again. */
  close(): void;
}

/** Slots in memory at most; history that arrives in bulk closes as it comes. 20,000 meters have 40,000 open at a time. */
const MAX_OPEN_SLOTS = 100_000;
const FORCED_CLOSE_SLOTS = 1_000;
/** The next reading of a meter is awaited so long: with it, a slot knows how its energy ends. */
const GRACE_INTERVALS = 1.5;
/** Slots of the past that the end of the log touches again at start are dropped from memory this often. */
const REPLAY_SWEEP_ROWS = 10_000;

export function openBuffer(options: BufferOptions): Buffer {
  const lock = takeWriterLock(options.path);
  try {
    const db = openForWriting(options.path);
    try {
      return onConnection(db, lock, options);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function onConnection(db: Connection, lock: WriterLock, options: BufferOptions): Buffer {
  const { clock, log, retentionMs, keepUnsettled } = options;
  const slotMs = claimSlotWidth(db, options.slotMinutes ?? SLOT_MINUTES) * 60_000;
  const logId = logIdOf(db);
  const transactions = createTransactions(db, logId);
  const meters = openMeterBook(db, transactions);
  const models = openModelBook(db, transactions);
  const states = openMeterStates(db);
  const readingLog = openReadingLog(db);
  const rejectedLog = openRejectedLog(db, transactions, options);
  const heard = openHeardBook(db);
  const slots = openSlotBook(db, {
    slotMs,
    transactions,
    states,
    lastSeq: readingLog.lastSeq,
    graceMs: (meter) =>
      Math.min(options.slotGraceMs, GRACE_INTERVALS * (heard.of(meter).intervalMs ?? Number.POSITIVE_INFINITY)),
    registerMaxDwh: meters.registerMaxDwh,
    waitsFor: { centre: keepUnsettled, models: options.keepUnanalysed === true },
  });
  const analysis = openAnalysisStore(db, { transactions, meters, models, states, log });
  const replayFrom = slots.replayFrom;
  const quality = openQualityBook(db, transactions);
  const retention = openRetention(db, {
    transactions,
    rejectedLog,
    replayFrom,
    retentionMs,
    keepUnsettled,
  });
  const boot = startBoot(db, clock, transactions);
  attempt('the buffer is open, but takes nothing in', () => transactions.run(boot.write));
  replay(readingLog, slots, transactions.position('replay'));

  /** For what can wait until there is room again, or comes again by itself. */
  function attempt(otherwise: string, write: () => void): 'written' | 'failed' {
    try {
      write();
      return 'written';
    } catch (error) {
      if (codeOf(error) !== 'buffer.write_failed') throw error;
      log.warn({ code: codeOf(error) }, `${otherwise}: ${messageOf(error)}`);
      return 'failed';
    }
  }

  function append({ readings, rejected }: Batch): LogRow[] {
    meters.registerExpected();
    const moment = boot.moment();
    const rows = readings.map((reading) => {
      const row = readingLog.append(reading, meters.keyOf(reading.meter), moment);
      slots.prepare(row.meter, row.takenAtMs);
      return row;
    });
    rejectedLog.append(rejected);
    return rows;
  }

  /** After the commit: counts and silence are kept in memory, and written now and then. */
  function keepBooks(rows: readonly LogRow[], { readings, rejected, notes = [] }: Batch): void {
    for (const [index, { receivedAtMs, flags }] of readings.entries()) {
      const meter = rows[index]?.meter ?? NO_METER;
      quality.accepted(meter, receivedAtMs, flags);
      heard.heard(meter, receivedAtMs);
    }
    const keyOf = (meter: MeterId | undefined) =>
      meter === undefined ? NO_METER : (meters.knownKey(meter) ?? NO_METER);
    for (const one of rejected) quality.refused(keyOf(one.meter), one.receivedAtMs, one);
    for (const note of notes) quality.explain(keyOf(note.meter), clock.now(), note);
  }

  function closeSlots(now: EpochMs, limit: number) {
    const written = quality.step(now);
    if (written.length > 0) transactions.run(() => heard.save(written));
    return { ...slots.close(now, limit), changeSeq: transactions.lastChange() };
  }

  /** What was committed stays committed, so this may fail without failing the commit. */
  function makeRoom(): void {
    try {
      closeSlots(clock.now(), FORCED_CLOSE_SLOTS);
    } catch (error) {
      log.warn({ code: codeOf(error), slots: slots.size() }, `slots wait in memory: ${messageOf(error)}`);
    }
  }

  return {
    logId,
    commit(batch) {
      const rows = transactions.run(() => append(batch));
      for (const row of rows) slots.add(row);
      keepBooks(rows, batch);
      if (slots.size() > MAX_OPEN_SLOTS) makeRoom();
      return { seq: readingLog.lastSeq() };
    },
    closeSlots,
    packDays: slots.pack,
    pruneDays: slots.pruneDays,
    storeAnalysis: analysis.store,
    settle(stream, { logId: ofLog, upTo }) {
      if (ofLog !== logId) {
        log.warn({ stream, ofLog, logId }, 'a position in another log was settled; it is ignored');
        return;
      }
      const last = stream === 'reading' ? readingLog.lastSeq() : transactions.lastChange();
      transactions.run(() => transactions.advance(`settled:${stream}`, Math.min(upTo, last)));
    },
    recordBundle(state, atMs) {
      transactions.run(() => models.record(state, atMs));
    },
    registerMeters(known) {
      const outcome = attempt('meters are not registered yet', () => transactions.run(() => meters.register(known)));
      if (outcome === 'failed') meters.expect(known);
    },
    registeredMeters: () => meters.registered,
    heard: (meter) => heard.of(meters.knownKey(meter) ?? NO_METER),
    recentReadings: (limitPerMeter) => readingLog.recent(limitPerMeter, meters.registered.size),
    prune: retention.step,
    head: () => ({ seq: readingLog.lastSeq(), changeSeq: transactions.lastChange() }),
    close() {
      if (!db.open) return;
      try {
        attempt('the last minute of data quality is not kept', quality.writeAll);
        attempt('the end is not noted', () => transactions.run(boot.ended));
      } finally {
        closeForWriting(db);
        lock.release();
      }
    },
  };
}

/** Rebuilds the slots that were open when the buffer was last in use, however it ended. */
function replay(readingLog: ReadingLog, slots: SlotBook, from: number): void {
  let rows = 0;
  for (const row of readingLog.replay(from)) {
    slots.add(row);
    rows += 1;
    if (rows % REPLAY_SWEEP_ROWS === 0) slots.dropUnchanged();
  }
  slots.dropUnchanged();
}
