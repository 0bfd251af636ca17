import type { ChangeSeq, EpochMs } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import { codeOf, messageOf } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Boot } from './boot.js';
import { type Future, MAX_AHEAD_MS } from './future.js';
import type { HeardBook } from './heard-book.js';
import type { Placement } from './placement.js';
import type { QualityBook } from './quality-book.js';
import type { ReadingLog } from './reading-log.js';
import type { SlotBook } from './slot-book.js';
import type { Packing } from './slot-days.js';
import type { Transactions } from './transactions.js';

export interface Closed {
  readonly closed: number;
  readonly more: boolean;
  readonly changeSeq: ChangeSeq;
}

export interface SlotTurn {
  closeSlots(now: EpochMs, limit: number): Closed;
  packDays(now: EpochMs): Packing;
  /** Closes some when too many are in memory. What was committed stays committed, so this fails nobody. */
  makeRoom(): void;
}

interface Parts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly transactions: Transactions;
  readonly boot: Boot;
  readonly placement: Placement;
  readonly future: Future;
  readonly slots: SlotBook;
  readonly quality: QualityBook;
  readonly heard: HeardBook;
}

/** Slots in memory at most; history that arrives in bulk closes as it comes. 20,000 meters have 40,000 open at a time. */
const MAX_OPEN_SLOTS = 100_000;
const FORCED_CLOSE_SLOTS = 1_000;
/** Slots of the past that the end of the log touches again at start are dropped from memory this often. */
const REPLAY_SWEEP_ROWS = 10_000;

/** What is done about slots now and then, in bounded steps, and in which order: the time has the first word. */
export function createSlotTurn(parts: Parts): SlotTurn {
  const { clock, log, transactions, boot, placement, future, slots, quality, heard } = parts;
  const { because } = transactions;

  /** What is being placed brings its slots in order: none is closed before all of it has come. */
  function closeDue(now: EpochMs, limit: number): { readonly closed: number; readonly more: boolean } {
    const { reachedMs } = placement;
    if (reachedMs !== undefined) return slots.close(Math.min(now, reachedMs), limit);
    if (!boot.isTrusted) return { closed: 0, more: false };
    if (future.step().more) return { closed: 0, more: true };
    slots.dropBeyond(now + MAX_AHEAD_MS);
    return slots.close(now, limit);
  }

  return {
    closeSlots(now, limit) {
      const { placing, closed, more } = because('slots', () => {
        const written = quality.step(clock.monotonicMs());
        if (written.length > 0) transactions.run(() => heard.save(written));
        const { more: isPlacing } = placement.step({
          prepare: slots.prepare,
          add: slots.add,
        });
        return { placing: isPlacing, ...closeDue(now, limit) };
      });
      return { closed, more: more || placing, changeSeq: transactions.lastChange() };
    },
    packDays: (now) => (boot.isTrusted ? because('slots', () => slots.days.pack(now)) : { days: 0, more: false }),
    makeRoom() {
      if (slots.size() <= MAX_OPEN_SLOTS) return;
      try {
        closeDue(clock.now(), FORCED_CLOSE_SLOTS);
      } catch (error) {
        log.warn({ code: codeOf(error), slots: slots.size() }, `slots wait in memory: ${messageOf(error)}`);
      }
    },
  };
}

/** Rebuilds the slots that were open when the buffer was last in use, however it ended. */
export function replay(
  readingLog: ReadingLog,
  slots: SlotBook,
  { from, end }: { readonly from: number; readonly end: number },
): void {
  let rows = 0;
  for (const row of readingLog.replay(from, end)) {
    slots.add(row);
    rows += 1;
    if (rows % REPLAY_SWEEP_ROWS === 0) slots.dropUnchanged();
  }
  slots.dropUnchanged();
}
