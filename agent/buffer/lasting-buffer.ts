import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { MeterId } from '../domain/brand.js';
import { codeOf, isWriteRefused, messageOf, WattwardenError } from '../domain/errors.js';
import { type Buffer, type BufferOptions, type Core, openCore } from './buffer.js';
import { damageOf } from './damage.js';
import type { Registration } from './meter-book.js';
import { setAside } from './set-aside.js';
import { readUseMark, wasClosed } from './use-mark.js';
import { takeWriterLock } from './writer-lock.js';

/** Called when another file stands in place of the one before: whoever reads it must open it anew. */
export type OnReplaced = (cause: string) => void;

export interface LastingBuffer extends Buffer {
  onReplaced(listener: OnReplaced): void;
  /** Somebody who read the file found it damaged. Nothing happens when it was another file: each names the log it read. */
  reportDamage(cause: string, logId: string): void;
}

/** More often than this it is the disk and not the file: errors then go to whoever called, and nothing is acknowledged. */
const MAX_REPLACEMENTS = 5;
const WITHIN_MS = 3_600_000;

/** What may simply be done again on the new file; the rest speaks of positions in the old one. */
const REPEATED: readonly PropertyKey[] = [
  'commit',
  'importReadings',
  'closeSlots',
  'prune',
  'recordBundle',
  'registerMeters',
  'heard',
  'head',
  'recentReadings',
  'registeredMeters',
] satisfies readonly (keyof Buffer)[];

/**
 * The buffer that outlives its file: one that turns out to be damaged, at the start or in the middle of the work, is set
 * aside as it is, and a new one serves within the same call. What was being stored then is stored in the new one.
 */
export function openLastingBuffer(options: BufferOptions): LastingBuffer {
  const { path, clock, log } = options;
  const lock = takeWriterLock(path);
  const registered = new Map<MeterId, Registration>();
  const listeners: OnReplaced[] = [];
  const replacedAtMs: number[] = [];
  let core: Core;
  /** Set aside, and no new one yet: there was no room for it. */
  let wanting: Noticed | undefined;

  function openNew(noticed: Noticed): Core {
    // From memory: the new file must know the meters before any of them sends again.
    const known = Array.from(registered.values(), ({ meter }) => meter);
    const fresh = openCore(options, { lock, registered });
    fresh.buffer.registerMeters(known);
    noteDamage(fresh, noticed);
    return fresh;
  }

  function noteDamage({ buffer }: Core, { cause, file, logId }: Noticed): void {
    log.error(
      { code: 'buffer.damaged', cause, file, newLogId: buffer.logId },
      'the buffer was damaged; a new one serves',
    );
    try {
      buffer.noteDamage({ atMs: clock.now(), cause, file: file === null ? null : basename(file), logId });
    } catch (error) {
      if (!isWriteRefused(error)) throw error;
      log.warn({ file, code: codeOf(error) }, `no entry of it is kept, and nothing is salvaged: ${messageOf(error)}`);
    }
  }

  function open(): Core {
    const mark = readUseMark(path);
    const before = mark === 'unreadable' ? undefined : mark;
    const walBytes = bytesOf(`${path}-wal`);
    if ((walBytes ?? 0) > 0 && (bytesOf(path) ?? 0) === 0) {
      // SQLite would delete a WAL whose file is empty.
      const cause = 'the file is gone or empty, and its write-ahead log is left';
      return openNew({ cause, file: setAsideNow(), logId: before?.logId ?? null });
    }
    const isGone = mark !== undefined && (bytesOf(path) ?? 0) === 0;
    let opened: Core;
    try {
      opened = openCore(options, { lock, registered });
    } catch (error) {
      const damage = damageOf(error);
      if (damage === undefined) throw error;
      return openNew({ cause: damage, file: setAsideNow(), logId: before?.logId ?? null });
    }
    const { logId } = opened.buffer;
    if (isGone) {
      noteDamage(opened, { cause: 'the file is gone or empty', file: null, logId: before?.logId ?? null });
    } else if (before !== undefined && before.logId !== logId && (walBytes ?? 0) > 0) {
      const cause = `the write-ahead log is of another file: ${logId} instead of ${before.logId}`;
      opened.abandon();
      registered.clear(); // they may be another gateway's
      return openNew({ cause, file: setAsideNow(), logId: before.logId });
    } else if (!wasClosed(mark) && walBytes === undefined) {
      const cause = 'the write-ahead log is missing: what was written last is lost';
      noteDamage(opened, { cause, file: null, logId });
    }
    return opened;
  }

  function setAsideNow(): string {
    replacedAtMs.push(clock.monotonicMs());
    return setAside(path, clock.now());
  }

  function replace(cause: string): void {
    while (replacedAtMs[0] !== undefined && clock.monotonicMs() - replacedAtMs[0] > WITHIN_MS) replacedAtMs.shift();
    if (replacedAtMs.length >= MAX_REPLACEMENTS) {
      throw new WattwardenError(
        'buffer.damaged',
        `${path}: replaced ${MAX_REPLACEMENTS} times within an hour: ${cause}`,
      );
    }
    const { logId } = core.buffer;
    core.abandon();
    wanting = { cause, file: setAsideNow(), logId };
    reopen(wanting);
  }

  function reopen(noticed: Noticed): void {
    core = openNew(noticed);
    wanting = undefined;
    for (const listener of listeners) listener(noticed.cause);
  }

  function guarded(name: PropertyKey, call: () => unknown): unknown {
    if (wanting !== undefined && name !== 'close') reopen(wanting);
    try {
      return call();
    } catch (error) {
      const damage = damageOf(error);
      if (damage === undefined || name === 'close') throw error;
      replace(damage);
      if (REPEATED.includes(name)) return call();
      throw error;
    }
  }

  try {
    core = open();
  } catch (error) {
    lock.release();
    throw error;
  }

  const own: Pick<LastingBuffer, 'onReplaced' | 'reportDamage'> = {
    onReplaced: (listener) => void listeners.push(listener),
    reportDamage(cause, logId) {
      if (logId === core.buffer.logId) replace(cause);
    },
  };
  // Every method of the writer, whatever it is, is asked of the file of the moment.
  return new Proxy(own as LastingBuffer, {
    get(target, name): unknown {
      if (name in target) return Reflect.get(target, name);
      const value: unknown = Reflect.get(core.buffer, name);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        const call = (): unknown => Reflect.apply(Reflect.get(core.buffer, name), core.buffer, given);
        return guarded(name, call);
      };
    },
  });
}

interface Noticed {
  readonly cause: string;
  readonly file: string | null;
  readonly logId: string | null;
}

const bytesOf = (file: string): number | undefined => (existsSync(file) ? statSync(file).size : undefined);
