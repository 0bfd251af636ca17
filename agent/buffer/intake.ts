import type { EpochMs, MeterId } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import type { Meter } from '../domain/meter.js';
import type { Note } from '../domain/quality.js';
import type { Reading } from '../domain/reading.js';
import type { Rejected } from '../domain/rejection.js';
import type { Boot } from './boot.js';
import type { HeardBook } from './heard-book.js';
import type { MeterBook } from './meter-book.js';
import type { Placement } from './placement.js';
import { NO_METER, type QualityBook } from './quality-book.js';
import type { Moment, ReadingLog } from './reading-log.js';
import type { RejectedLog } from './rejected-log.js';
import type { Restoring } from './restoring.js';
import type { LogRow, SlotBook } from './slot-book.js';
import type { OpenSlot } from './slot-closing.js';
import type { Transactions } from './transactions.js';

export interface Batch {
  readonly readings: readonly Reading[];
  readonly rejected: readonly Rejected[];
  /** Words for the flags of the readings, for the report of data quality. */
  readonly notes?: readonly Note[];
}

export interface Intake {
  commit(batch: Batch): void;
  /** Gives the number of those that were new. */
  importReadings(meters: readonly Meter[], readings: readonly Reading[]): number;
}

interface Parts {
  readonly clock: Clock;
  readonly transactions: Transactions;
  readonly boot: Boot;
  readonly meters: MeterBook;
  readonly readingLog: ReadingLog;
  readonly rejectedLog: RejectedLog;
  readonly placement: Placement;
  readonly slots: SlotBook;
  readonly quality: QualityBook;
  readonly heard: HeardBook;
  readonly restoring: Restoring;
  /** Slots in memory are bounded by closing some. */
  makeRoom(): void;
}

interface Appended {
  readonly rows: readonly LogRow[];
  /** Those that are not held back until the time is known, and beside each the slot that waits for it. */
  readonly live: readonly LogRow[];
  readonly waiting: readonly OpenSlot[];
}

/** How rows get into the log, and from there into slots and books. */
export function createIntake(parts: Parts): Intake {
  const { clock, transactions, boot, meters, placement, slots, quality, heard } = parts;

  /** `nowMs` for what did not arrive by itself: where a row stands among the starts of this machine. */
  function append({ readings, rejected }: Batch, nowMs?: EpochMs): Appended {
    meters.registerExpected();
    // Numbers of all meters first, and their slots last: of many meters hardly anything is in a cache near the
    // processor, and in a loop of its own it fetches for several at a time.
    const keys = readings.map(({ meter }) => meters.keyOf(meter));
    const rows: LogRow[] = [];
    const live: LogRow[] = [];
    let moment: Moment | undefined;
    let momentOfMs: number | undefined;
    for (const [index, reading] of readings.entries()) {
      const atMs = nowMs ?? reading.receivedAtMs;
      // Under load dozens arrive in one millisecond.
      if (moment === undefined || atMs !== momentOfMs) moment = boot.moment(atMs);
      momentOfMs = atMs;
      const row = parts.readingLog.append(reading, keys[index] ?? meters.keyOf(reading.meter), moment);
      rows.push(row);
      if (moment.isHeld) placement.hold(row.seq);
      else live.push(row);
    }
    parts.rejectedLog.append(rejected);
    return { rows, live, waiting: live.map((row) => slots.prepare(row)) };
  }

  /** After the commit: what the next closing and packing have to know. */
  function intoSlots({ live, waiting }: Appended): void {
    const nowMs = clock.now();
    for (const [index, row] of live.entries()) {
      slots.add(row, waiting[index]);
      slots.days.heard(row.meter, row.takenAtMs, nowMs);
    }
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

  return {
    commit(batch) {
      const appended = transactions.because('readings', () => transactions.run(() => append(batch)));
      intoSlots(appended);
      parts.restoring.sawLive(appended.rows);
      keepBooks(appended.rows, batch);
      parts.makeRoom();
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
      intoSlots(transactions.run(() => append({ readings: fresh, rejected: [] }, clock.now())));
      parts.makeRoom();
      return fresh.length;
    },
  };
}
