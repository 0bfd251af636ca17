import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type GoneThrough, markGoneThrough, removeOldAside, setAside } from './set-aside.js';
import { at } from './test-kit.js';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-aside-'));
  path = join(dir, 'buffer.sqlite');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const NAME_LENGTH = 'buffer.sqlite.damaged-'.length;
const WAL_BYTES = 100;

/** One more, set aside in the same second as the others; `bytes` with its WAL. */
function aside(bytes: number, how?: GoneThrough): string {
  writeFileSync(path, Buffer.alloc(bytes - WAL_BYTES));
  writeFileSync(`${path}-wal`, Buffer.alloc(WAL_BYTES));
  const file = setAside(path, at(0)).slice(dir.length + 1);
  if (how !== undefined) markGoneThrough(path, file, how);
  return file;
}

const removed = (files: number, bytes: number): readonly string[] =>
  removeOldAside(path, { files, bytes }).map(
    ({ file, was, bytes: size }) => `${file.slice(NAME_LENGTH)} ${was} ${size}`,
  );

test('of files with gaps the newest stay, within number and bytes, and the newest whatever its size', () => {
  const files = [1_000, 2_000, 3_000, 4_000].map((bytes) => aside(bytes, 'gaps'));
  expect(files[0]).toMatch(/^buffer\.sqlite\.damaged-\d{8}T\d{6}Z$/);
  expect(removed(4, 10_000)).toEqual([]);
  const stamp = files[0]?.slice(NAME_LENGTH);
  expect(removed(3, 10_000)).toEqual([`${stamp} gaps 1000`]);
  expect(removed(3, 7_000)).toEqual([`${stamp}-2 gaps 2000`]);
  expect(removed(3, 10)).toEqual([`${stamp}-3 gaps 3000`]);
  expect(readdirSync(dir).toSorted()).toEqual([`${files[3]}`, `${files[3]}-wal`, `${files[3]}.gaps`].toSorted());
});

test('one of which every row is stored again stays while it is the newest', () => {
  const first = aside(1_000, 'whole');
  expect(removed(1, 1e6)).toEqual([]);
  aside(1_000, 'gaps');
  expect(removed(1, 1e6)).toEqual([`${first.slice(NAME_LENGTH)} whole 1000`]);
});

test('what was not gone through to its end is never removed, and counts for nothing', () => {
  const only = [aside(1_000), aside(5_000)];
  for (let n = 0; n < 12; n += 1) aside(500, 'gaps');
  expect(removed(2, 1_000)).toHaveLength(10);
  const left = readdirSync(dir);
  for (const file of only) expect(left).toContain(file);
  // The second of twelve of one second, not the twelfth: numbers count as numbers.
  expect(left.filter((name) => name.endsWith('.gaps')).map((name) => /-(\d+)\.gaps$/.exec(name)?.[1])).toEqual(
    expect.arrayContaining(['13', '14']),
  );
});
