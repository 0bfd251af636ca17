import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { codeOf } from '../domain/errors.js';

/**
 * Written beside the buffer when it is opened, and again when it is closed in order: what is found at the next start tells
 * how it ended, and that there was a buffer when there is none any more.
 */
export interface UseMark {
  readonly logId: string;
  readonly openedAtMs: number;
  readonly isClosed: boolean;
}

/** A mark is one short line; anything longer was not written by us. */
const MAX_BYTES = 1_000;

/** The last word of the line; a line that was cut short has neither. */
const OPEN = '\n';
const CLOSED = 'closed\n';

const fileOf = (path: string): string => `${path}.in-use`;

/** `unreadable`: it was in use, and that is all that can be told. */
export function readUseMark(path: string): UseMark | 'unreadable' | undefined {
  let text: string;
  try {
    text = readFileSync(fileOf(path), 'utf8').slice(0, MAX_BYTES);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    return 'unreadable';
  }
  return parseUseMark(text) ?? 'unreadable';
}

function parseUseMark(text: string): UseMark | undefined {
  const [logId, openedAtMs, end] = text.split(' ');
  if (logId === undefined || !/^[0-9a-f-]{36}$/.test(logId)) return undefined;
  if (end !== OPEN && end !== CLOSED) return undefined;
  const atMs = Number(openedAtMs);
  return Number.isSafeInteger(atMs) ? { logId, openedAtMs: atMs, isClosed: end === CLOSED } : undefined;
}

/** Throws what the file system says: a disk without room for a line must not keep the buffer from serving. */
export function writeUseMark(path: string, { logId, openedAtMs, isClosed }: UseMark): void {
  const file = openSync(fileOf(path), 'w', 0o600);
  try {
    writeSync(file, `${logId} ${Math.floor(openedAtMs)} ${isClosed ? CLOSED : OPEN}`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Nobody has it open, and whoever had closed it in order. */
export function wasClosed(mark: ReturnType<typeof readUseMark>): boolean {
  return mark === undefined || (mark !== 'unreadable' && mark.isClosed);
}
