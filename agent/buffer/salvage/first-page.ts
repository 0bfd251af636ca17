import {
  closeSync,
  copyFileSync,
  fstatSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openForWriting } from '../buffer-file.js';
import { APPLICATION_ID } from '../schema.js';

/** Offsets in the header of every SQLite file (https://www.sqlite.org/fileformat.html). */
const AT = {
  pageSize: 16,
  counter: 24,
  pages: 28,
  freeTrunk: 32,
  freeCount: 36,
  applicationId: 68,
  validFor: 92,
} as const;
const MAGIC = 'SQLite format 3\0';
const PAGE_BYTES = 4_096;

/**
 * The first page names the tables and where they begin; without it nothing else is found. In every file of one version
 * it says the same, so one that is destroyed is replaced by that of an empty buffer. What stood there is kept beside it.
 */
export function repairFirstPage(file: string): 'repaired' | 'whole' {
  const handle = openSync(file, 'r+');
  try {
    const { size } = fstatSync(handle);
    const found = Buffer.alloc(PAGE_BYTES);
    readSync(handle, found, 0, PAGE_BYTES, 0);
    if (size < 2 * PAGE_BYTES || isWhole(found)) return 'whole';
    writeFileSync(`${file}.first-page`, found, { flush: true });
    const page = firstPageOfAnEmptyBuffer();
    page.writeUInt32BE(Math.floor(size / PAGE_BYTES), AT.pages);
    // The free pages are not looked for: nothing is going to be written.
    page.writeUInt32BE(0, AT.freeTrunk);
    page.writeUInt32BE(0, AT.freeCount);
    page.writeUInt32BE(page.readUInt32BE(AT.counter), AT.validFor);
    writeSync(handle, page, 0, PAGE_BYTES, 0);
    fsyncSync(handle);
    return 'repaired';
  } finally {
    closeSync(handle);
  }
}

/** The header, and the page of the tree that begins behind it: 5 or 13, a table's interior page or leaf. */
function isWhole(page: Buffer): boolean {
  const isHeader =
    page.toString('latin1', 0, MAGIC.length) === MAGIC &&
    page.readUInt16BE(AT.pageSize) === PAGE_BYTES &&
    page.readUInt32BE(AT.applicationId) === APPLICATION_ID;
  return isHeader && [5, 13].includes(page[100] ?? 0);
}

function firstPageOfAnEmptyBuffer(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'wattwarden-page-'));
  try {
    const path = join(directory, 'empty');
    const db = openForWriting(path);
    db.pragma('wal_checkpoint(TRUNCATE)');
    const copy = join(directory, 'copy');
    copyFileSync(path, copy);
    db.close();
    const page = Buffer.alloc(PAGE_BYTES);
    const handle = openSync(copy, 'r');
    readSync(handle, page, 0, PAGE_BYTES, 0);
    closeSync(handle);
    return page;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
