import type { ChangeSeq, EpochMs, LogId, MeterId, Seq } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import type { WriteCause, WrittenBytes } from '../domain/disk.js';
import { codeOf, isWriteRefused, messageOf, WattwardenError } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Meter } from '../domain/meter.js';
import type { Note } from '../domain/quality.js';
import type { Reading } from '../domain/reading.js';
import type { Rejected } from '../domain/rejection.js';
import type { AnalysisResult, BundleState } from '../domain/results.js';
import { SLOT_MINUTES, type SlotMinutes } from '../domain/slot.js';
import type { Settled, StreamName } from '../domain/stored.js';
import type { Trust } from '../domain/trust.js';
import { openAnalysisStore } from './analysis-store.js';
import { startBoot } from './boot.js';
import { type Connection, closeAsItIs, closeForWriting, logIdOf, openForWriting } from './buffer-file.js';
import { type Damage, type DamageReport, openDamageBook, type Salvaged } from './damage-book.js';
import { MAX_AHEAD_MS, openFuture } from './future.js';
import { openGrowth, ROW_BYTES } from './growth.js';
import { type Heard, openHeardBook } from './heard-book.js';
import { openMeterBook } from './meter-book.js';
import { openMeterStates } from './meter-state.js';
import { openModelBook } from './model-book.js';
import { type CanBe, openPlacement } from './placement.js';
import { NO_METER, openQualityBook } from './quality-book.js';
import { type Moment, openReadingLog, type ReadingLog } from './reading-log.js';
import { openRejectedLog } from './rejected-log.js';
import { openRelief, type Relief } from './relief.js';
import { openRestoring, type RestoreBatch, type Restored } from './restoring.js';
import { type Keep, keepFor, openRetention, type Pruned } from './retention.js';
import { openSettledBook } from './settled-book.js';
import { type LogRow, openSlotBook, type SlotBook } from './slot-book.js';
import type { Packing } from './slot-days.js';
import { claimSlotWidth } from './slot-width.js';
import { createTransactions } from './transactions.js';
import { readUseMark, wasClosed, writeUseMark } from './use-mark.js';
import { takeWriterLock, type WriterLock } from './writer-lock.js';
import { openWrittenBook } from './written-book.js';

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

export interface Batch {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
  /** Words for the flags of the readings, for the report of data quality. */
  readonly notes?: readonly Note[];
}

/** How long the room and the card last at the present rates. */
export interface Endurance {
  /** Bytes that a day adds to the file. */
  growthPerDay(now: EpochMs): number | undefined;
  /** What may be deleted before anything is lost to the centre; without a centre, before anything but slots is left. */
  droppableBytes(): number;
  writtenLastDay(now: EpochMs): number;
  writtenPerDay(now: EpochMs): number | undefined;
  saveWritten(now: EpochMs): void;
}

/** The only writer. Every method is synchronous; when it returns, what it wrote is on disk. */
export interface Buffer extends Relief, Endurance {
  readonly logId: LogId;
  commit(batch: Batch): { readonly seq: Seq };
  closeSlots(
    now: EpochMs,
    limit: number,
  ): { readonly closed: number; readonly more: boolean; readonly changeSeq: ChangeSeq };
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
  registeredMeters(): ReadonlyMap<MeterId, Meter>;
  /** Lives: when a meter was last heard since the start, and how often it usually is. */
  heard(meter: MeterId): Heard;
  /** The newest rows of each meter as far as the end of the log shows them, oldest first. */
  recentReadings(limitPerMeter: number): Iterable<Reading>;
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

/** Slots in memory at most; history that arrives in bulk closes as it comes. 20,000 meters have 40,000 open at a time. */
const MAX_OPEN_SLOTS = 100_000;
const FORCED_CLOSE_SLOTS = 1_000;
/** The next reading of a meter is awaited so long: with it, a slot knows how its energy ends. */
const GRACE_INTERVALS = 1.5;
/** Slots of the past that the end of the log touches again at start are dropped from memory this often. */
const REPLAY_SWEEP_ROWS = 10_000;

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
  readonly registered: Map<MeterId, Meter>;
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
    graceMs: (meter) =>
      Math.min(options.slotGraceMs, GRACE_INTERVALS * (heard.of(meter).intervalMs ?? Number.POSITIVE_INFINITY)),
    registerMaxDwh: meters.registerMaxDwh,
    waitsFor: { centre: keepUnsettled, models: options.keepUnanalysed === true },
  });
  const analysis = openAnalysisStore(db, { transactions, meters, models, states, log });
  const replayFrom = slots.replayFrom;
  const settled = openSettledBook(db, transactions);
  const quality = openQualityBook(db, transactions);
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
  const writtenBook = openWrittenBook(db, transactions);
  const { because } = transactions;
  boundFile(db, options.maxBytes);
  const damages = openDamageBook(db, transactions);
  const restoring = openRestoring(db, {
    transactions,
    meters,
    models,
    states,
    slots,
    readingLog,
    rejectedLog,
    placement,
  });
  const lastStop = damages.lastBootEnded() && wasClosed(readUseMark(options.path)) ? 'clean' : 'unclean';
  const beginClock = (baseMs: number | undefined) => options.beginClock?.({ ...placement.latest(), baseMs });
  const boot = startBoot(db, { ...options, trust, beginClock }, transactions);
  attempt('the buffer is open, but takes nothing in', () => transactions.run(boot.write));
  replay(readingLog, slots, { from: transactions.position('replay'), end: beyondPlaced() });
  placement.begin();
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

  /** `nowMs` for what did not arrive by itself: where a row stands among the starts of this machine. */
  function append({ readings, rejected }: Batch, nowMs?: number): Appended {
    meters.registerExpected();
    const rows: LogRow[] = [];
    const live: LogRow[] = [];
    let moment: Moment | undefined;
    let momentOfMs: number | undefined;
    for (const reading of readings) {
      const atMs = nowMs ?? reading.receivedAtMs;
      // Under load dozens arrive in one millisecond.
      if (moment === undefined || atMs !== momentOfMs) moment = boot.moment(atMs);
      momentOfMs = atMs;
      const row = readingLog.append(reading, meters.keyOf(reading.meter), moment);
      rows.push(row);
      if (moment.isHeld) placement.hold(row.seq);
      else {
        slots.prepare(row.meter, row.takenAtMs);
        live.push(row);
      }
    }
    rejectedLog.append(rejected);
    return { rows, live };
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
    const { placing, closed, more } = because('slots', () => {
      const written = quality.step(clock.monotonicMs());
      if (written.length > 0) transactions.run(() => heard.save(written));
      const { more: isPlacing } = placement.step({
        prepare: (row) => slots.prepare(row.meter, row.takenAtMs),
        add: slots.add,
      });
      return { placing: isPlacing, ...closeDue(now, limit) };
    });
    return { closed, more: more || placing, changeSeq: transactions.lastChange() };
  }

  /** What is being placed brings its slots in order: none is closed before all of it has come. */
  function closeDue(now: EpochMs, limit: number): { readonly closed: number; readonly more: boolean } {
    const { reachedMs } = placement;
    if (reachedMs !== undefined) return slots.close(Math.min(now, reachedMs), limit);
    if (!boot.isTrusted) return { closed: 0, more: false };
    if (future.step().more) return { closed: 0, more: true };
    slots.dropBeyond(now + MAX_AHEAD_MS);
    return slots.close(now, limit);
  }

  /** What was committed stays committed, so this may fail without failing the commit. */
  function makeRoom(): void {
    try {
      closeDue(clock.now(), FORCED_CLOSE_SLOTS);
    } catch (error) {
      log.warn({ code: codeOf(error), slots: slots.size() }, `slots wait in memory: ${messageOf(error)}`);
    }
  }

  const buffer: Buffer = {
    logId,
    commit(batch) {
      const { rows, live } = because('readings', () => transactions.run(() => append(batch)));
      for (const row of live) slots.add(row);
      restoring.sawLive(rows);
      keepBooks(rows, batch);
      if (slots.size() > MAX_OPEN_SLOTS) makeRoom();
      return { seq: readingLog.lastSeq() };
    },
    closeSlots,
    packDays: (now) => (boot.isTrusted ? because('slots', () => slots.days.pack(now)) : { days: 0, more: false }),
    storeAnalysis: (result) => because('analysis', () => analysis.store(result)),
    settle(stream, { logId: ofLog, ranges }) {
      if (ofLog !== logId) {
        log.warn({ stream, ofLog, logId }, 'what was settled is of another log; it is ignored');
        return;
      }
      const last = stream === 'reading' ? readingLog.lastSeq() : transactions.lastChange();
      because('settled', () => settled.settle(stream, ranges, last));
    },
    importReadings(known, readings) {
      // Its rows have their times; they must not wait to be moved with those that came in meanwhile.
      if (!boot.isTrusted) throw new WattwardenError('clock.untrusted', 'nothing is imported meanwhile');
      const fresh = readings.filter(({ meter, takenAtMs }) => {
        const key = meters.knownKey(meter);
        return key === undefined || !slots.knows(key, takenAtMs);
      });
      const appeared = known.filter(({ id }) => !meters.registered.has(id));
      if (appeared.length > 0) transactions.run(() => meters.register(appeared));
      if (fresh.length === 0) return 0;
      // Not heard today, and no matter of today's data quality: they are history.
      const { rows } = transactions.run(() => append({ readings: fresh, rejected: [] }, clock.now()));
      for (const row of rows) slots.add(row);
      if (slots.size() > MAX_OPEN_SLOTS) makeRoom();
      return fresh.length;
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
    growthPerDay: openGrowth(db, { lastSeq: readingLog.lastSeq, slotMs }),
    droppableBytes() {
      const { settled: rows, inSlots } = relief.droppable();
      return (keepUnsettled ? rows : inSlots) * ROW_BYTES.reading;
    },
    writtenLastDay: writtenBook.lastDay,
    writtenPerDay: writtenBook.meanPerDay,
    saveWritten: (now) =>
      void attempt('the bytes written are not noted', () => because('maintenance', () => writtenBook.save(now))),
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

/** A file that is longer already keeps its length. */
function boundFile(db: Connection, maxBytes: number | undefined): void {
  if (maxBytes === undefined) return;
  const pageBytes = Number(db.pragma('page_size', { simple: true }));
  db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
}

interface Appended {
  readonly rows: readonly LogRow[];
  /** Those that are not held back until the time is known. */
  readonly live: readonly LogRow[];
}

const UNVERIFIED: Trust = { state: 'trusted', by: 'unverified' };

const NOTHING_PRUNED: Pruned = {
  readings: 0,
  rejected: 0,
  slots: 0,
  days: 0,
  forecasts: 0,
  anomalies: 0,
  quality: 0,
  more: false,
};

/** Rebuilds the slots that were open when the buffer was last in use, however it ended. */
function replay(readingLog: ReadingLog, slots: SlotBook, { from, end }: { from: number; end: number }): void {
  let rows = 0;
  for (const row of readingLog.replay(from, end)) {
    slots.add(row);
    rows += 1;
    if (rows % REPLAY_SWEEP_ROWS === 0) slots.dropUnchanged();
  }
  slots.dropUnchanged();
}
