import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { openReader } from '../../agent/buffer/reader.js';
import { epochMs, type MeterId } from '../../agent/domain/brand.js';
import { systemClock } from '../../agent/domain/clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import type { Reading } from '../../agent/domain/reading.js';
import { type RunningGateway, startGateway, wattwarden } from '../kit/command.js';
import { destroyPage, pagesOf } from '../kit/damage.js';
import { mayMount } from '../kit/mount.js';
import { openRawMeter } from '../kit/raw-meter.js';
import { until } from '../kit/until.js';

let dir = '';
let path = '';
let config = '';
let gateway: RunningGateway | undefined;

const METERS = ['m1', 'm2', 'm3'] as MeterId[];
const ROUNDS = 3_000;
const ROUNDS_IN_A_COMMIT = 20;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-corruption-'));
  mkdirSync(join(dir, 'data'), { mode: 0o700 });
  path = join(dir, 'data', 'buffer.sqlite');
  config = join(dir, 'gateway.yaml');
  const settings = {
    version: 1,
    gateway: { data_dir: join(dir, 'data') },
    mqtt: { port: 0 },
    http: { port: 0 },
    models: { enabled: false },
  };
  writeFileSync(config, stringify(settings));
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  rmSync(dir, { recursive: true, force: true });
});

interface Kept {
  readonly readings: ReadonlySet<string>;
  readonly logId: string;
}

/** Some hours of three meters. `killed`: as a power cut leaves it, with its last rows in the WAL alone. */
function fill(how: 'closed' | 'killed' | 'marked' = 'closed'): Kept {
  const options = { slotGraceMs: 60_000, maxRejected: 1_000, maxRejectedBytes: 1e7, retentionMs: 400 * 86_400_000 };
  const open = (at: string) =>
    openBuffer({ ...options, path: at, clock: systemClock, log: silentLogger, keepUnsettled: false });
  const beganMs = Date.now() - ROUNDS * 10_000;
  const read = (meter: MeterId, index: number, round: number): Reading => {
    const takenAtMs = epochMs(beganMs + round * 10_000);
    const measured = { powerW: 100 * (index + 1), importWh: round * (index + 1) };
    return { meter, takenAtMs, timeSource: 'meter', receivedAtMs: takenAtMs, flags: 0, ...measured };
  };
  const commit = (buffer: ReturnType<typeof open>, from: number): void => {
    const rounds = Array.from({ length: ROUNDS_IN_A_COMMIT }, (_, index) => from + index);
    const readings = rounds.flatMap((round) => METERS.map((meter, index) => read(meter, index, round)));
    const receivedAtMs = epochMs(beganMs + from * 10_000);
    const payload = Buffer.alloc(9_000, 'x');
    const refused = { receivedAtMs, topic: 't', payload, reason: 'not_json' as const, detail: `${from}` };
    buffer.commit({ readings, rejected: from % 200 === 0 ? [refused] : [] });
    while (buffer.closeSlots(receivedAtMs, 100).more);
  };
  const first = open(path);
  for (let round = 0; round < ROUNDS - 500; round += ROUNDS_IN_A_COMMIT) commit(first, round);
  first.close();
  moveWal();
  const second = open(path);
  for (let round = ROUNDS - 500; round < ROUNDS; round += ROUNDS_IN_A_COMMIT) commit(second, round);
  const { logId } = second;
  if (how === 'killed') {
    for (const suffix of ['', '-wal', '-shm', '.in-use']) copyFileSync(path + suffix, `${path}.${suffix}kept`);
    second.close();
    for (const suffix of ['', '-wal', '-shm', '.in-use']) renameSync(`${path}.${suffix}kept`, path + suffix);
  } else {
    second.close();
    moveWal();
    // Not closed in order, and everything in the file: what is destroyed there is not read from the WAL instead.
    if (how === 'marked') writeFileSync(`${path}.in-use`, '');
  }
  return { readings: readingsIn(path), logId };
}

/** A page is destroyed in the file: one that stands in the WAL too would be read from there. */
function moveWal(): void {
  const raw = new Database(path);
  raw.pragma('wal_checkpoint(TRUNCATE)');
  raw.close();
}

function readingsIn(file: string): ReadonlySet<string> {
  const reader = openReader(file);
  try {
    return new Set(reader.stream('reading', 0, 1e6).map(({ meter, takenAtMs }) => `${meter} ${takenAtMs}`));
  } finally {
    reader.close();
  }
}

const middle = (name: string, type: string): number => {
  const pages = pagesOf(path, name).filter((page) => page.type === type);
  return pages[Math.floor(pages.length / 2)]?.number ?? 0;
};

interface Health {
  readonly health: { readonly status: string; readonly checks: { readonly buffer: { readonly detail: string } } };
}

async function status(): Promise<Health> {
  return JSON.parse((await wattwarden('status', '--config', config, '--json')).stdout) as Health;
}

/** From the start of the process to the acknowledgement of a reading that is on disk. */
async function startAndStore(): Promise<number> {
  const beganMs = performance.now();
  gateway = await startGateway(config);
  const port = Number(gateway.mqtt.split(':').at(-1));
  const meter = openRawMeter({ name: 'm1', port, qos: 1, ownTime: true, inFlight: 1 });
  try {
    await until('a reading is acknowledged', () => meter.acknowledged.length > 0, { everyMs: 5 });
    return performance.now() - beganMs;
  } finally {
    await meter.drain();
    meter.close();
  }
}

const asides = (): readonly string[] =>
  readdirSync(join(dir, 'data')).filter((name) => /^buffer\.sqlite\.damaged-[0-9TZ]+(-\d+)?$/.test(name));

async function salvaged(): Promise<void> {
  await until(
    'it is salvaged',
    () => {
      const reader = openReader(path);
      try {
        const [damage] = reader.damages();
        return damage !== undefined && damage.state !== 'waiting';
      } finally {
        reader.close();
      }
    },
    { withinMs: 60_000, everyMs: 200 },
  );
}

interface Case {
  readonly name: string;
  readonly how?: 'closed' | 'killed' | 'marked';
  readonly harm: () => void;
  /** Readings that may be gone; the rest must be back. */
  readonly lost: 'nothing' | 'some' | 'all';
  readonly aside?: false;
}

const CASES: readonly Case[] = [
  { name: 'the header', harm: () => destroyPage(path, 1), lost: 'nothing' },
  { name: 'the header, only its first bytes', harm: () => overwrite(0, Buffer.alloc(16)), lost: 'nothing' },
  {
    name: 'the root of the readings',
    harm: () => destroyPage(path, pagesOf(path, 'reading')[0]?.number ?? 0),
    lost: 'all',
  },
  {
    name: 'a leaf of the readings',
    how: 'marked',
    harm: () => destroyPage(path, middle('reading', 'leaf')),
    lost: 'some',
  },
  {
    name: 'a leaf of zeros',
    how: 'marked',
    harm: () => destroyPage(path, middle('reading', 'leaf'), () => 0),
    lost: 'some',
  },
  {
    name: 'a leaf of the slots',
    how: 'marked',
    harm: () => destroyPage(path, middle('slot', 'leaf')),
    lost: 'nothing',
  },
  {
    name: 'an overflow page',
    how: 'marked',
    harm: () => destroyPage(path, middle('rejected', 'overflow')),
    lost: 'nothing',
    aside: false,
  },
  { name: 'an index', how: 'marked', harm: () => destroyPage(path, middle('slot_change', 'leaf')), lost: 'nothing' },
  { name: 'the meters', harm: () => destroyPage(path, pagesOf(path, 'meter')[0]?.number ?? 0), lost: 'all' },
  {
    name: 'a file cut short',
    harm: () => truncateSync(path, Math.floor(statSync(path).size / 8_192) * 4_096),
    lost: 'some',
  },
  { name: 'an empty file', harm: () => truncateSync(path, 0), lost: 'all', aside: false },
  { name: 'no database', harm: () => writeFileSync(path, 'a shopping list '.repeat(1_000)), lost: 'all' },
  { name: 'a missing WAL', how: 'killed', harm: () => rmSync(`${path}-wal`), lost: 'some', aside: false },
  { name: 'an empty file with its WAL', how: 'killed', harm: () => truncateSync(path, 0), lost: 'all' },
  { name: 'a WAL of another file', harm: () => borrowWal(), lost: 'nothing' },
  {
    name: 'a stale index of the WAL',
    how: 'killed',
    harm: () => writeFileSync(`${path}-shm`, Buffer.alloc(32_768, 7)),
    lost: 'nothing',
    aside: false,
  },
];

function overwrite(offset: number, bytes: Buffer): void {
  const all = readFileSync(path);
  bytes.copy(all, offset);
  writeFileSync(path, all);
}

/** The buffer was copied back after a crash of another one, whose WAL was left. */
function borrowWal(): void {
  const raw = new Database(path, { readonly: true });
  const logId = raw.prepare(`select value from setting where name = 'log_id'`).pluck().get();
  raw.close();
  const other = join(dir, 'other.sqlite');
  const theirs = openBuffer({
    path: other,
    clock: systemClock,
    log: silentLogger,
    slotGraceMs: 0,
    maxRejected: 1,
    maxRejectedBytes: 1e6,
    retentionMs: 1e12,
    keepUnsettled: false,
  });
  const takenAtMs = systemClock.now();
  const reading = { meter: 'stranger' as MeterId, takenAtMs, receivedAtMs: takenAtMs, timeSource: 'meter' as const };
  theirs.commit({ readings: [{ ...reading, powerW: 1, flags: 0 }], rejected: [] });
  copyFileSync(`${other}-wal`, `${path}-wal`);
  theirs.close();
  rmSync(`${path}-shm`, { force: true });
  writeFileSync(`${path}.in-use`, `${String(logId)} 1 \n`);
}

/** Beyond what a start takes without damage, which on a busy machine is seconds and never twice the same. */
const SERVED_WITHIN_MS = 2_000;
const NOISE = 2;

describe('served on', () => {
  test.each(CASES)('$name', { timeout: 120_000 }, async ({ how, harm, lost, aside }) => {
    const before = fill(how);
    harm();

    const tookMs = await startAndStore();

    const isDamaged = aside !== false || lost !== 'nothing';
    if (isDamaged) await salvaged();
    if (aside !== false) expect(asides()).toHaveLength(1);
    const now = readingsIn(path);
    const missing = [...before.readings].filter((one) => !now.has(one)).length;
    if (lost === 'nothing') expect(missing).toBe(0);
    if (lost === 'some') expect(missing).toBeGreaterThan(0);
    if (lost === 'some') expect(missing).toBeLessThan(before.readings.size * 0.6);
    if (lost === 'all') expect(missing).toBe(before.readings.size);
    expect([...now].some((one) => one.startsWith('stranger'))).toBe(false);
    if (lost !== 'nothing') {
      const { health } = await status();
      expect(health.status).toBe('degraded');
      expect(health.checks.buffer.detail).toMatch(/^The buffer was damaged, noticed /);
      expect(gateway?.output()).toContain('buffer.damaged');
    }
    // It is not only served: it goes on being served by what is there now.
    await gateway?.stop();
    gateway = undefined;
    const usualMs = await startAndStore();
    console.log(`served after ${Math.round(tookMs)} ms, without damage after ${Math.round(usualMs)} ms`);
    expect(tookMs).toBeLessThan(NOISE * usualMs + SERVED_WITHIN_MS);
  });
});

describe('refused with a code and a hint', () => {
  test('another program’s database is left alone', async () => {
    const raw = new Database(path);
    raw.exec('create table theirs (x)');
    raw.close();
    const bytes = readFileSync(path);
    await expect(startGateway(config)).rejects.toThrow(/buffer\.unopenable/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('a newer schema', async () => {
    fill();
    const raw = new Database(path);
    raw.pragma('user_version = 99');
    raw.exec(`update setting set value = '99' where name = 'readable_since'`);
    raw.close();
    await expect(startGateway(config)).rejects.toThrow(/buffer\.newer/);
    expect(asides()).toEqual([]);
  });

  const isRoot = process.getuid?.() === 0;

  test.skipIf(!isRoot)(
    'a file or a directory that may no longer be written (needs root)',
    { timeout: 60_000 },
    async () => {
      fill();
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
      fill();
      execFileSync('mount', ['-o', 'remount,ro', data]);
      await expect(startGateway(config)).rejects.toThrow(/buffer\.no_access/);
    } finally {
      execFileSync('umount', ['-l', data]);
    }
  });
});

async function runAs(user: number): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'run', '--config', config], { uid: user, gid: user, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
