import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type EpochMs, epochMs, type MeterId, parseMeterId } from '../domain/brand.js';
import type { Clock } from '../domain/clock.js';
import { invariant } from '../domain/errors.js';
import { silentLogger } from '../domain/log.js';
import type { Reading } from '../domain/reading.js';
import { type Buffer, type BufferOptions, openBuffer } from './buffer.js';
import { type BufferReader, openReader } from './reader.js';

/** For tests only: real files in a directory of their own, and a clock that is moved by hand. */

/** A whole number of days, so that slots begin at round numbers. */
export const START_MS = 20_000 * 86_400_000;

export interface HandClock extends Clock {
  set(ms: number): void;
}

export function handClock(ms = START_MS): HandClock {
  let now = ms;
  return {
    now: () => epochMs(now),
    monotonicMs: () => now - START_MS,
    sleep: () => Promise.resolve(),
    set(to) {
      now = to;
    },
  };
}

export function meterId(name: string): MeterId {
  const id = parseMeterId(name);
  invariant(id !== undefined, `${name} names a meter`);
  return id;
}

export const at = (ms: number): EpochMs => epochMs(START_MS + ms);

export function reading(meter: string, offsetMs: number, measures: Partial<Reading> = { powerW: 100 }): Reading {
  return {
    meter: meterId(meter),
    takenAtMs: at(offsetMs),
    timeSource: 'meter',
    receivedAtMs: at(offsetMs),
    flags: 0,
    ...measures,
  };
}

export interface Bench {
  readonly dir: string;
  readonly path: string;
  readonly clock: HandClock;
  open(options?: Partial<BufferOptions>): Buffer;
  reader(path?: string): BufferReader;
  /** What a kill would leave behind: the file and its WAL at this moment, under another name. */
  killed(): string;
  clean(): void;
}

export function createBench(): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-buffer-'));
  const path = join(dir, 'buffer.sqlite');
  const clock = handClock();
  const opened: { close(): void }[] = [];
  let copies = 0;
  const note = <T extends { close(): void }>(one: T): T => {
    opened.push(one);
    return one;
  };
  return {
    dir,
    path,
    clock,
    open: (options = {}) =>
      note(
        openBuffer({
          path,
          clock,
          log: silentLogger,
          slotGraceMs: 60_000,
          maxRejected: 100,
          maxRejectedBytes: 1e6,
          retentionMs: 86_400_000,
          keepUnsettled: false,
          ...options,
        }),
      ),
    reader: (file = path) => note(openReader(file)),
    killed() {
      copies += 1;
      const copy = join(dir, `killed-${copies}.sqlite`);
      for (const suffix of ['', '-wal']) {
        if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
      }
      return copy;
    },
    clean() {
      for (const one of opened.reverse()) one.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** For `settle`: the centre has all up to there. */
export const upTo = ({ logId }: Buffer, position: number) => ({ logId, ranges: [{ after: 0, upTo: position }] });

/** Refuses every write as a full disk does; call the result when there is room again. */
export function fillDisk(path: string): () => void {
  const db = new Database(path);
  const triggers = ['boot', 'meter', 'reading', 'rejected', 'cursor', 'settled', 'slot', 'model'].flatMap((table) =>
    ['insert', 'update'].map((what) => ({ table, what, name: `full_${table}_${what}` })),
  );
  for (const { table, what, name } of triggers) {
    db.exec(`create trigger ${name} before ${what} on ${table} begin select raise(abort, 'disk is full'); end`);
  }
  return () => {
    for (const { name } of triggers) db.exec(`drop trigger ${name}`);
    db.close();
  };
}
