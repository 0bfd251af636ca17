import { codeOf, messageOf } from '../domain/errors.js';

/**
 * What SQLite says when the content of the file is wrong or cannot be read. Not among them: a disk that is full or cannot
 * be written (SQLITE_FULL, SQLITE_IOERR_WRITE, …), where another file in the same place would fare no better.
 */
const DAMAGED = [
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_IOERR_READ',
  'SQLITE_IOERR_SHORT_READ',
  'SQLITE_IOERR_CORRUPTFS',
  'SQLITE_IOERR_DATA',
  'buffer.damaged',
];

/** Errors are wrapped once or twice on their way. */
const MAX_CAUSES = 5;

/** What is wrong with the file, when that is what an error says; also of one that crossed from another thread. */
export function damageOf(error: unknown): string | undefined {
  let one = error;
  for (let depth = 0; depth < MAX_CAUSES && one !== undefined; depth += 1) {
    const code = codeOf(one);
    if (code !== undefined && DAMAGED.some((name) => code.startsWith(name))) return messageOf(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return undefined;
}
