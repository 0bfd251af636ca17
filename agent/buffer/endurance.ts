import type { EpochMs } from '../domain/brand.js';
import type { Connection } from './buffer-file.js';
import { openGrowth, ROW_BYTES } from './growth.js';
import type { Relief } from './relief.js';
import type { Transactions } from './transactions.js';
import { openWrittenBook } from './written-book.js';

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

interface Parts {
  readonly transactions: Transactions;
  readonly relief: Pick<Relief, 'droppable'>;
  readonly keepUnsettled: boolean;
  readonly lastSeq: () => number;
  readonly slotMs: number;
}

export function openEndurance(db: Connection, { transactions, relief, keepUnsettled, ...growth }: Parts): Endurance {
  const book = openWrittenBook(db, transactions);
  return {
    growthPerDay: openGrowth(db, growth),
    droppableBytes() {
      const { settled, inSlots } = relief.droppable();
      return (keepUnsettled ? settled : inSlots) * ROW_BYTES.reading;
    },
    writtenLastDay: book.lastDay,
    writtenPerDay: book.meanPerDay,
    saveWritten: book.save,
  };
}
