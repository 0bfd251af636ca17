import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Files of which everything is in the buffer again; this many of the newest stay all the same. */
const REDUNDANT_KEPT = 1;
const REDUNDANT = '.salvaged';

/** `file` has been salvaged to the last row: it is marked so, and of the marked ones the older are removed. */
export function removeRedundant(path: string, file: string): readonly string[] {
  const directory = dirname(path);
  const prefix = `${basename(path)}.damaged-`;
  writeFileSync(join(directory, file + REDUNDANT), '');
  const marked = readdirSync(directory).filter((name) => name.startsWith(prefix) && name.endsWith(REDUNDANT));
  const removed = marked.sort().slice(0, -REDUNDANT_KEPT);
  for (const mark of removed) {
    const name = mark.slice(0, -REDUNDANT.length);
    for (const one of readdirSync(directory).filter((other) => belongsTo(other, name))) rmSync(join(directory, one));
  }
  return removed.map((mark) => mark.slice(0, -REDUNDANT.length));
}

/** Two files of one second are told apart by a number behind a hyphen: what belongs to one goes on with another sign. */
const belongsTo = (name: string, file: string): boolean =>
  name === file || name.startsWith(`${file}.`) || BESIDE.some((suffix) => name.startsWith(file + suffix));
