import { statSync } from 'node:fs';
import type { FileRoom } from '../domain/disk.js';
import type { Range, Ranges } from '../domain/ranges.js';
import type { Connection } from './buffer-file.js';
import type { Transactions } from './transactions.js';

/** What the buffer can do against a full disk, in steps that the thread that takes readings in can afford. */
export interface Relief {
  room(): FileRoom;
  /** Deletes readings that the centre has, the oldest first; gives how many. */
  dropSettled(): number;
  /** Deletes the oldest readings, which live on in stored slots, whether or not the centre has them. */
  thin(): number;
  /** Gives pages back to the disk; the file is shorter after the next checkpoint. */
  vacuum(): number;
  /** Fails as the next commit would. */
  probe(): void;
  /** On this thread, for want of another one that does it. */
  checkpoint(): void;
  /** Readings that may be dropped and thinned. */
  droppable(): { readonly settled: number; readonly inSlots: number };
}

interface Parts {
  readonly transactions: Transactions;
  readonly settled: () => Ranges;
  /** The first row that an open slot still needs. */
  readonly replayFrom: () => number;
}

/** Some milliseconds, also where deleted pages have to be read first. */
const STEP_ROWS = 2_000;
const STEP_PAGES = 256;

export function openRelief(db: Connection, { transactions, settled, replayFrom }: Parts): Relief {
  const deleteIn = db.prepare<[number, number, number]>(
    'delete from reading where seq in (select seq from reading where seq > ? and seq <= ? order by seq limit ?)',
  );
  const firstSeq = db.prepare<[], number>('select coalesce(min(seq), 0) from reading').pluck();
  const number = (pragma: string): number => Number(db.pragma(pragma, { simple: true }));
  const pageBytes = number('page_size');
  const inStoredSlots = ({ after, upTo }: Range): Range => ({ after, upTo: Math.min(upTo, replayFrom() - 1) });

  function deleteFrom(ranges: Ranges, counter: 'relief:dropped' | 'relief:thinned'): number {
    return transactions.run(() => {
      let rows = 0;
      for (const { after, upTo } of ranges) {
        if (rows < STEP_ROWS && upTo > after) rows += deleteIn.run(after, upTo, STEP_ROWS - rows).changes;
      }
      transactions.count('dropped:reading', rows);
      transactions.count(counter, rows);
      return rows;
    });
  }

  return {
    room() {
      const pages = number('page_count');
      return {
        reusableBytes: number('freelist_count') * pageBytes,
        growthBytes: (number('max_page_count') - pages) * pageBytes,
        pendingBytes: Math.max(0, pages * pageBytes - sizeOf(db.name)),
        walBytes: sizeOf(`${db.name}-wal`),
      };
    },
    dropSettled: () => deleteFrom(settled().map(inStoredSlots), 'relief:dropped'),
    thin: () => deleteFrom([inStoredSlots({ after: 0, upTo: Number.MAX_SAFE_INTEGER })], 'relief:thinned'),
    vacuum() {
      const before = number('freelist_count');
      transactions.run(() => db.pragma(`incremental_vacuum(${STEP_PAGES})`));
      return before - number('freelist_count');
    },
    probe: () => transactions.run(() => transactions.count('relief:probes', 1)),
    checkpoint: () => void db.pragma('wal_checkpoint(PASSIVE)'),
    droppable() {
      const first = Math.max(1, firstSeq.get() ?? 0);
      const rowsIn = (range: Range): number => {
        const { after, upTo } = inStoredSlots(range);
        return Math.max(0, upTo - Math.max(after, first - 1));
      };
      return {
        settled: settled().reduce((rows, range) => rows + rowsIn(range), 0),
        inSlots: rowsIn({ after: 0, upTo: Number.MAX_SAFE_INTEGER }),
      };
    },
  };
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
