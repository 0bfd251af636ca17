import type { ChangeSeq, EpochMs, LogId, MeterId, Seq } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import type { WriteCause, WrittenBytes } from '../domain/disk.js';
import { codeOf, isWriteRefused, messageOf } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Meter } from '../domain/meter.js';
import type { Reading } from '../domain/reading.js';
import type { AnalysisResult, BundleState } from '../domain/results.js';
import { SLOT_MINUTES, type SlotMinutes } from '../domain/slot.js';
import type { Settled, StreamName } from '../domain/stored.js';
import type { Trust } from '../domain/trust.js';
import { openAnalysisStore } from './analysis-store.js';
import { startBoot } from './boot.js';
import { boundFile, type Connection, closeAsItIs, closeForWriting, logIdOf, openForWriting } from './buffer-file.js';
import { type Damage, type DamageReport, openDamageBook, type Salvaged } from './damage-book.js';
import { type Endurance, openEndurance } from './endurance.js';
import { MAX_AHEAD_MS, openFuture } from './future.js';
import { type Heard, openHeardBook } from './heard-book.js';
import { type Batch, createIntake } from './intake.js';
import { openMeterBook, type Registration } from './meter-book.js';
import { openMeterStates } from './meter-state.js';
import { openModelBook } from './model-book.js';
import { type CanBe, openPlacement } from './placement.js';
import { NO_METER, openQualityBook } from './quality-book.js';
import { openReadingLog, type RecentLimits } from './reading-log.js';
import { openRejectedLog } from './rejected-log.js';
import { openRelief, type Relief } from './relief.js';
import { openRestoring, type RestoreBatch, type Restored } from './restoring.js';
import { type Keep, keepFor, NOTHING_PRUNED, openRetention, type Pruned } from './retention.js';
import { openSettledBook } from './settled-book.js';
import { openSlotBook } from './slot-book.js';
import type { Packing } from './slot-days.js';
import { type Closed, createSlotTurn, replay } from './slot-turn.js';
import { claimSlotWidth } from './slot-width.js';
import { createTransactions } from './transactions.js';
import { readUseMark, wasClosed, writeUseMark } from './use-mark.js';
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
  /** Bounds of single tables, where they differ from that. */
  readonly keep?: Partial<Keep>;
  /** With a centre: what it has not settled is not dropped. */
  readonly keepUnsettled: boolean;
  /** With models: what they have not seen is not packed. */
  readonly keepUnanalysed?: boolean;
  /** The file is not longer than this; the disk alone bounds it when not given. */
  readonly maxBytes?: number | undefined;
  /** Asked when a file is opened. While the time is not known, what arrives waits until `turnClock` says that it is. */
  readonly trust?: () => Trust;
  /** Before the clock is asked for the first time: what the file knows of the time. */
  readonly beginClock?: (known: Timeline) => void;
  /** What a meter's own time is held against once the time is known. */
  readonly timeCanBe?: CanBe;
  /** Another name for each start of the kernel, for tests. */
  readonly kernelBootId?: string;
}

/** The only writer. Every method is synchronous; when it returns, what it wrote is on disk. */
export interface Buffer extends Relief, Endurance {
  readonly logId: LogId;
  commit(batch: Batch): { readonly seq: Seq };
  closeSlots(now: EpochMs, limit: number): Closed;
  /** Packs some of the oldest finished days; go on while there is more. */
  packDays(now: EpochMs): Packing;
  storeAnalysis(result: AnalysisResult): ChangeSeq;
  /** The centre has these; what it was known to have stays so. */
  settle(stream: StreamName, settled: Settled): void;
  /** From an export: what is counted already is left out. Gives the number of those that were new. */
  importReadings(meters: readonly Meter[], readings: readonly Reading[]): number;
  recordBundle(state: BundleState, atMs: EpochMs): void;
  registerMeters(meters: readonly Meter[]): void;
  /** Lives: a meter that commit or registerMeters adds appears in it. */
  registeredMeters(): ReadonlyMap<MeterId, Registration>;
  /** Lives: when a meter was last heard since the start, and how often it usually is. */
  heard(meter: MeterId): Heard;
  /** The newest rows of each meter as far as the end of the log shows them, oldest first; one at the least. */
  recentReadings(limits: RecentLimits): Iterable<Reading>;
  /** The gateway's time becomes known, doubtful, or moves. */
  turnClock(change: { readonly trust: Trust; readonly byMs: number }): void;
  /** Readings that wait for the time to become known, or to be placed. */
  held(): number;
  /** One bounded step; go on while there is more. */
  prune(now: EpochMs): Pruned;
  /** Bytes written to the disk since the start; `wrote` adds what other threads wrote. */
  written(): WrittenBytes;
  wrote(cause: WriteCause, bytes: number): void;
  head(): { readonly seq: Seq; readonly changeSeq: ChangeSeq };
  /** How it was left by whoever had it open before. */
  readonly lastStop: 'clean' | 'unclean';
  /** Writes down, for good, that a file was damaged or missing. */
  noteDamage(damage: Damage): void;
  /** Files that were set aside and are not salvaged yet, oldest first. */
  unsalvaged(): readonly Salvaged[];
  /** Rows of a file that was set aside, at most some hundred; again after a kill, from `done` on. */
  restore(batch: RestoreBatch): Restored;
  endSalvage(file: string, report: DamageReport): void;
  /** A file that was set aside is deleted; what was said of it stays. */
  noteRemoved(file: string): void;
  /** Safe to call again. */
  close(): void;
}

export interface Timeline {
  /** When the last reading arrived whose time is known. */
  readonly lastRowMs: number | undefined;
  /** When the last reading arrived, in whatever time. */
  readonly latestMs: number | undefined;
  /** What the kernel's counter must be added to, if it is known since the kernel started. */
  readonly baseMs: number | undefined;
}

/** The buffer as its file knows it: what keeps it alive beyond that file is lasting-buffer.ts. */
export interface Core {
  readonly buffer: Buffer;
  /** Lets go of the file and changes nothing in it. */
  abandon(): void;
}

/** The next reading of a meter is awaited so long: with it, a slot knows how its energy ends. */
const GRACE_INTERVALS = 1.5;
/** Meters that send equally often close their slots together: one by one they would write the same pages again and again. */
const GRACE_STEP_MS = 10_000;
const graceOf = (intervalMs: number): number =>
  Math.ceil((GRACE_INTERVALS * intervalMs) / GRACE_STEP_MS) * GRACE_STEP_MS;

/** For whoever would rather have an error than a new file in place of a damaged one. */
export function openBuffer(options: BufferOptions): Buffer {
  const lock = takeWriterLock(options.path);
  try {
    return openCore(options, { lock, registered: new Map() }).buffer;
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Kept {
  /** Released when the buffer is closed. */
  readonly lock: WriterLock;
  /** Filled, and filled anew; whoever looks into it need not know that the file is another. */
  readonly registered: Map<MeterId, Registration>;
}

export function openCore(options: BufferOptions, kept: Kept): Core {
  const db = openForWriting(options.path);
  try {
    return onConnection(db, kept, options);
  } catch (error) {
    closeAsItIs(db);
    throw error;
  }
}

function onConnection(db: Connection, { lock, registered }: Kept, options: BufferOptions): Core {
  const { clock, log, retentionMs, keepUnsettled } = options;
  const slotMs = claimSlotWidth(db, options.slotMinutes ?? SLOT_MINUTES) * 60_000;
  const logId = logIdOf(db);
  const transactions = createTransactions(db, logId);
  const meters = openMeterBook(db, transactions, registered);
  const models = openModelBook(db, transactions);
  const states = openMeterStates(db);
  const readingLog = openReadingLog(db, transactions);
  const rejectedLog = openRejectedLog(db, transactions, options);
  const { timeCanBe: canBe = () => true, trust = () => UNVERIFIED } = options;
  const placement = openPlacement(db, { transactions, canBe, lastSeq: readingLog.lastSeq });
  const beyondPlaced = (): number => placement.heldFrom ?? readingLog.lastSeq() + 1;
  const heard = openHeardBook(db);
  const slots = openSlotBook(db, {
    slotMs,
    transactions,
    states,
    lastSeq: () => beyondPlaced() - 1,
    graceMs: (meter) => Math.min(options.slotGraceMs, graceOf(heard.of(meter).intervalMs ?? Number.POSITIVE_INFINITY)),
    registerMaxDwh: meters.registerMaxDwh,
    waitsFor: { centre: keepUnsettled, models: options.keepUnanalysed === true },
  });
  const analysis = openAnalysisStore(db, { transactions, meters, models, states, log });
  const replayFrom = slots.replayFrom;
  const settled = openSettledBook(db, transactions);
  const quality = openQualityBook(db, transactions);
  // For those below that work on several of the tables above.
  const books = { transactions, meters, models, states, slots, readingLog, rejectedLog, placement, quality, heard };
  const future = openFuture(db, { transactions, states, days: slots.days });
  const retention = openRetention(db, {
    transactions,
    rejectedLog,
    replayFrom,
    keep: { ...keepFor(retentionMs), ...options.keep },
    keepUnsettled,
    days: slots.days,
  });
  const relief = openRelief(db, {
    transactions,
    settled: () => (keepUnsettled ? settled.of('reading') : []),
    replayFrom,
  });
  const endurance = openEndurance(db, { ...books, relief, keepUnsettled, lastSeq: readingLog.lastSeq, slotMs });
  const { because } = transactions;
  if (options.maxBytes !== undefined) boundFile(db, options.maxBytes);
  const damages = openDamageBook(db, transactions);
  const restoring = openRestoring(db, books);
  const lastStop = damages.lastBootEnded() && wasClosed(readUseMark(options.path)) ? 'clean' : 'unclean';
  const beginClock = (baseMs: number | undefined) => options.beginClock?.({ ...placement.latest(), baseMs });
  const boot = startBoot(db, { ...options, trust, beginClock }, transactions);
  attempt('the buffer is open, but takes nothing in', () => transactions.run(boot.write));
  replay(readingLog, slots, { from: transactions.position('replay'), end: beyondPlaced() });
  placement.begin();
  const turn = createSlotTurn({ ...books, clock, log, boot, future });
  const intake = createIntake({ ...books, clock, boot, restoring, makeRoom: turn.makeRoom });
  noteUse(false);

  /** For what can wait until there is room again, or comes again by itself. */
  function attempt(otherwise: string, write: () => void): 'written' | 'failed' {
    try {
      write();
      return 'written';
    } catch (error) {
      if (!isWriteRefused(error)) throw error;
      log.warn({ code: codeOf(error) }, `${otherwise}: ${messageOf(error)}`);
      return 'failed';
    }
  }

  function noteUse(isClosed: boolean): void {
    try {
      writeUseMark(options.path, { logId, openedAtMs: clock.now(), isClosed });
    } catch (error) {
      log.warn({ code: codeOf(error) }, `the next start may take this one's end for another: ${messageOf(error)}`);
    }
  }

  const buffer: Buffer = {
    logId,
    commit(batch) {
      intake.commit(batch);
      return { seq: readingLog.lastSeq() };
    },
    importReadings: intake.importReadings,
    closeSlots: turn.closeSlots,
    packDays: turn.packDays,
    storeAnalysis: (result) => because('analysis', () => analysis.store(result)),
    settle(stream, { logId: ofLog, ranges }) {
      if (ofLog !== logId) {
        log.warn({ stream, ofLog, logId }, 'what was settled is of another log; it is ignored');
        return;
      }
      const last = stream === 'reading' ? readingLog.lastSeq() : transactions.lastChange();
      because('settled', () => settled.settle(stream, ranges, last));
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
    recentReadings: readingLog.recent,
    turnClock(change) {
      transactions.run(() => {
        boot.turn(change);
        if (change.trust.state === 'trusted') future.forget(clock.now() + change.byMs + MAX_AHEAD_MS);
      });
      heard.moved(change.byMs);
      if (boot.isTrusted) placement.begin();
    },
    held: () => readingLog.lastSeq() + 1 - beyondPlaced(),
    // By a clock that may be wrong, everything can look old.
    prune: (now) => (boot.isTrusted ? because('maintenance', () => retention.step(now)) : NOTHING_PRUNED),
    room: relief.room,
    dropSettled: () => because('maintenance', relief.dropSettled),
    thin: () => because('maintenance', relief.thin),
    vacuum: () => because('maintenance', relief.vacuum),
    probe: () => because('maintenance', relief.probe),
    checkpoint: relief.checkpoint,
    droppable: relief.droppable,
    ...endurance,
    saveWritten: (now) =>
      void attempt('the bytes written are not noted', () => because('maintenance', () => endurance.saveWritten(now))),
    written: () => ({ ...transactions.written.bytes }),
    wrote: transactions.written.add,
    head: () => ({ seq: readingLog.lastSeq(), changeSeq: transactions.lastChange() }),
    lastStop,
    noteDamage: damages.note,
    unsalvaged: damages.unsalvaged,
    restore: restoring.restore,
    endSalvage(file, report) {
      restoring.end(file);
      damages.end(file, report, clock.now());
    },
    noteRemoved: damages.removed,
    close() {
      if (!db.open) return;
      try {
        attempt('the last minute of data quality is not kept', quality.writeAll);
        if (attempt('the end is not noted', () => transactions.run(boot.ended)) === 'written') noteUse(true);
      } finally {
        closeForWriting(db);
        lock.release();
      }
    },
  };
  return { buffer, abandon: () => closeAsItIs(db) };
}

const UNVERIFIED: Trust = { state: 'trusted', by: 'unverified' };
