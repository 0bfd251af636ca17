import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startGateway } from '../kit/command.js';
import { fillBuffer } from '../kit/filled-buffer.js';
import { mayMount } from '../kit/mount.js';

/** Where a new file would be no better, or would take the place of somebody else's: a code, a hint, and nothing changed. */

let dir = '';
let path = '';
let config = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-refused-'));
  mkdirSync(join(dir, 'data'), { mode: 0o700 });
  path = join(dir, 'data', 'buffer.sqlite');
  config = join(dir, 'gateway.yaml');
  const ports = { mqtt: { port: 0 }, http: { port: 0 } };
  writeFileSync(config, stringify({ version: 1, gateway: { data_dir: join(dir, 'data') }, ...ports }));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('another program’s database is left alone', async () => {
  const raw = new Database(path);
  raw.exec('create table theirs (x)');
  raw.close();
  const bytes = readFileSync(path);
  await expect(startGateway(config)).rejects.toThrow(/buffer\.unopenable/);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test('a newer schema', async () => {
  fillBuffer(path);
  const raw = new Database(path);
  raw.pragma('user_version = 99');
  raw.exec(`update setting set value = '99' where name = 'readable_since'`);
  raw.close();
  await expect(startGateway(config)).rejects.toThrow(/buffer\.newer/);
  expect(readdirSync(join(dir, 'data')).filter((name) => name.includes('damaged'))).toEqual([]);
});

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  'a file or a directory that may no longer be written (needs root)',
  { timeout: 60_000 },
  async () => {
    fillBuffer(path);
    const nobody = 65_534;
    const data = join(dir, 'data');
    chmodSync(dir, 0o755);
    for (const name of readdirSync(data)) chownSync(join(data, name), nobody, nobody);
    chownSync(data, nobody, nobody);
    chownSync(path, 0, 0);
    chmodSync(path, 0o600);
    const refused = await runAs(nobody);
    expect(refused.output).toContain('buffer.no_access');
    expect(refused.output).toContain(path);
    expect(refused.code).toBe(1);

    chownSync(path, nobody, nobody);
    chmodSync(data, 0o500);
    for (const suffix of ['-wal', '-shm', '.lock', '.in-use']) rmSync(path + suffix, { force: true });
    const again = await runAs(nobody);
    expect(again.output).toContain('buffer.no_access');
    expect(existsSync(path)).toBe(true);
  },
);

test.skipIf(!mayMount())('a file system that is read-only (needs mount)', { timeout: 60_000 }, async () => {
  const data = join(dir, 'data');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', data]);
  try {
    fillBuffer(path);
    execFileSync('mount', ['-o', 'remount,ro', data]);
    await expect(startGateway(config)).rejects.toThrow(/buffer\.no_access/);
  } finally {
    execFileSync('umount', ['-l', data]);
  }
});

async function runAs(user: number): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'run', '--config', config], { uid: user, gid: user, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
