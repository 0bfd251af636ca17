import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { codeOf } from '../domain/errors.js';

/** Written when the buffer is opened and removed when it is closed in order: what is found at the next start tells how it ended. */
export interface UseMark {
  readonly logId: string;
  readonly openedAtMs: number;
}

/** A mark is one short line; anything longer was not written by us. */
const MAX_BYTES = 1_000;

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
  if (logId === undefined || !/^[0-9a-f-]{36}$/.test(logId) || end !== '\n') return undefined;
  const atMs = Number(openedAtMs);
  return Number.isSafeInteger(atMs) ? { logId, openedAtMs: atMs } : undefined;
}

/** Throws what the file system says: a disk without room for a line must not keep the buffer from serving. */
export function writeUseMark(path: string, { logId, openedAtMs }: UseMark): void {
  const file = openSync(fileOf(path), 'w', 0o600);
  try {
    writeSync(file, `${logId} ${Math.floor(openedAtMs)} \n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export const removeUseMark = (path: string): void => rmSync(fileOf(path), { force: true });
