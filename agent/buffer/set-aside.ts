import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EpochMs } from '../domain/brand.js';

/** SQLite's own files beside a database. The index (-shm) goes too: another file of that name would be taken for its index. */
const BESIDE = ['-wal', '-shm'] as const;

/**
 * Renames the buffer, its WAL and the WAL's index, so that a new file can stand in its place; gives the new name. Nothing
 * may have them open for writing: the last to close would delete the WAL under the old name, which is then another's.
 */
export function setAside(path: string, atMs: EpochMs): string {
  const stamp = new Date(Math.floor(atMs)).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let aside = `${path}.damaged-${stamp}`;
  for (let n = 2; isTaken(aside); n += 1) aside = `${path}.damaged-${stamp}-${n}`;
  // The WAL first: after a power cut in between, a WAL without its file does no harm, and one with another's would.
  for (const suffix of [...BESIDE, '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  syncDirectory(dirname(path));
  return aside;
}

const isTaken = (aside: string): boolean => ['', ...BESIDE].some((suffix) => existsSync(aside + suffix));

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** How a file ended that was gone through to its end: `whole`, every row of it is in the buffer again; `gaps`, every row that could be read is. */
export type GoneThrough = 'whole' | 'gaps';

const MARKS: Readonly<Record<GoneThrough, string>> = { whole: '.salvaged', gaps: '.gaps' };

/** Of files with gaps, in which a specialist may find more. The newest of them stays, however large it is. */
export interface KeepAside {
  readonly files: number;
  readonly bytes: number;
}

export interface RemovedAside {
  readonly file: string;
  readonly was: GoneThrough;
  readonly bytes: number;
}

/** Beside the file, so that a buffer that is damaged itself does not forget it. What is not marked is never removed. */
export const markGoneThrough = (path: string, file: string, how: GoneThrough): void =>
  writeFileSync(join(dirname(path), file + MARKS[how]), '');

/** Of the marked files those beyond the bounds go, the oldest first; of those that hold nothing more, all but the newest. */
export function removeOldAside(path: string, keep: KeepAside): readonly RemovedAside[] {
  const directory = dirname(path);
  const names = readdirSync(directory);
  const files = marked(names, path).map(({ file, was }) => {
    const parts = names.filter((name) => belongsTo(name, file)).map((name) => join(directory, name));
    return { file, was, parts, bytes: parts.reduce((sum, part) => sum + bytesOf(part), 0) };
  });
  let [count, bytes] = [0, 0];
  const over = files.filter((one) => {
    if (one.was === 'whole') return one !== files[0];
    count += 1;
    bytes += one.bytes;
    return count > 1 && (count > keep.files || bytes > keep.bytes);
  });
  for (const { parts } of over) for (const part of parts) rmSync(part, { force: true });
  return over.map(({ file, was, bytes: size }) => ({ file, was, bytes: size }));
}

/** The newest first. */
function marked(names: readonly string[], path: string) {
  const prefix = `${basename(path)}.damaged-`;
  const found = (['whole', 'gaps'] as const).flatMap((was) =>
    names
      .filter((name) => name.startsWith(prefix) && name.endsWith(MARKS[was]))
      .map((name) => ({ file: name.slice(0, -MARKS[was].length), was })),
  );
  return found.sort((a, b) => b.file.localeCompare(a.file, 'en', { numeric: true }));
}

const bytesOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Two files of one second are told apart by a number behind a hyphen: what belongs to one goes on with another sign. */
const belongsTo = (name: string, file: string): boolean =>
  name === file || name.startsWith(`${file}.`) || BESIDE.some((suffix) => name.startsWith(file + suffix));
