import { type ChangeSeq, changeSeq, type LogId } from '../domain/brand.js';
import type { WriteCause } from '../domain/disk.js';
import { codeOf, messageOf, WattwardenError } from '../domain/errors.js';
import type { Connection } from './buffer-file.js';
import { type CursorName, openCursors } from './cursors.js';
import { openWriteMeter, type WriteMeter } from './write-meter.js';

/** Everything that is written goes through here: all of it is on disk when `run` returns, or none of it. */
export interface Transactions {
  readonly logId: LogId;
  run<T>(work: () => T): T;
  /** What `run` writes within `work` counts for this cause. */
  because<T>(cause: WriteCause, work: () => T): T;
  readonly written: WriteMeter;
  /** Takes the next number for a change; only inside `run`. */
  nextChange(): ChangeSeq;
  lastChange(): ChangeSeq;
  position(name: CursorName): number;
  /** Moves a cursor forward, never back; only inside `run`. */
  advance(name: CursorName, position: number): void;
  count(name: string, by: number): void;
  /** For whoever keeps in memory what `run` writes: undo it. */
  onRollback(undo: () => void): void;
  onBegin(begin: () => void): void;
}

export function createTransactions(db: Connection, logId: LogId): Transactions {
  const cursors = openCursors(db, logId);
  const setCursor = db.prepare(
    `insert into cursor (log_id, name, position) values (?, ?, ?)
     on conflict do update set position = excluded.position where excluded.position > position`,
  );
  const addToCounter = db.prepare(
    'insert into counter (name, value) values (?, ?) on conflict do update set value = value + excluded.value',
  );
  const written = openWriteMeter(db);
  const undos: (() => void)[] = [];
  const begins: (() => void)[] = [];
  let change = cursors.position('change');

  const inTransaction = db.transaction((work: () => unknown): unknown => {
    const before = change;
    const result = work();
    if (change !== before) setCursor.run(logId, 'change', change);
    return result;
  });

  function failure(error: unknown): unknown {
    const code = codeOf(error);
    if (code?.startsWith('SQLITE_') !== true) return error;
    const isFull = code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE';
    return new WattwardenError(isFull ? 'buffer.full' : 'buffer.write_failed', messageOf(error), { cause: error });
  }

  return {
    logId,
    written,
    because: written.because,
    run<T>(work: () => T): T {
      const before = change;
      for (const begin of begins) begin();
      try {
        const result = inTransaction.immediate(work) as T;
        written.committed();
        return result;
      } catch (error) {
        change = before;
        for (const undo of undos) undo();
        throw failure(error);
      }
    },
    nextChange() {
      change += 1;
      return changeSeq(change);
    },
    lastChange: () => changeSeq(change),
    position: (name) => cursors.position(name),
    advance(name, position) {
      setCursor.run(logId, name, position);
    },
    count(name, by) {
      if (by !== 0) addToCounter.run(name, by);
    },
    onRollback(undo) {
      undos.push(undo);
    },
    onBegin(begin) {
      begins.push(begin);
    },
  };
}
