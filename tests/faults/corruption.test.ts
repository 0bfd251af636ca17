import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { openReader } from '../../agent/buffer/reader.js';
import { type RunningGateway, startGateway, wattwarden } from '../kit/command.js';
import { destroyPage, pagesOf } from '../kit/damage.js';
import { type Ending, fillBuffer, fillForeign, readingsIn } from '../kit/filled-buffer.js';
import { childOf, cpuMsOf } from '../kit/processes.js';
import { openRawMeter } from '../kit/raw-meter.js';
import { until } from '../kit/until.js';

let dir = '';
let path = '';
let config = '';
let gateway: RunningGateway | undefined;

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

interface Took {
  readonly wallMs: number;
  /** Of the gateway's own process; a machine that is busy with others stretches only the other figure. */
  readonly cpuMs: number;
}

/** From the start of the process to the acknowledgement of a reading that is on disk. */
async function startAndStore(onSpawn: (pid: number) => void = () => undefined): Promise<Took> {
  const beganMs = performance.now();
  gateway = await startGateway(config, { onSpawn });
  const port = Number(gateway.mqtt.split(':').at(-1));
  const meter = openRawMeter({ name: 'm1', port, qos: 1, ownTime: true, inFlight: 1 });
  try {
    await until('a reading is acknowledged', () => meter.acknowledged.length > 0, { everyMs: 5 });
    return { wallMs: performance.now() - beganMs, cpuMs: cpuMsOf(gateway.pid) };
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
  readonly ending?: Ending;
  readonly harm: () => void;
  /** The part of the readings that may be gone, and some of which is; the rest must be back. */
  readonly lost: number;
  readonly aside?: false;
  /** SQLite mends it by itself, and there is nothing to tell. */
  readonly unnoticed?: true;
}

const NOTHING = 0;
const ALL = 1;
/** A page holds a hundred of the nine thousand readings or so. */
const ONE_PAGE = 0.03;

const CASES: readonly Case[] = [
  { name: 'the header', harm: () => destroyPage(path, 1), lost: NOTHING },
  { name: 'the header, only its first bytes', harm: () => overwrite(0, Buffer.alloc(16)), lost: NOTHING },
  {
    name: 'the root of the readings',
    harm: () => destroyPage(path, pagesOf(path, 'reading')[0]?.number ?? 0),
    lost: ALL,
  },
  {
    name: 'a leaf of the readings',
    ending: 'marked',
    harm: () => destroyPage(path, middle('reading', 'leaf')),
    lost: ONE_PAGE,
  },
  {
    name: 'a leaf of zeros',
    ending: 'marked',
    harm: () => destroyPage(path, middle('reading', 'leaf'), () => 0),
    lost: ONE_PAGE,
  },
  {
    name: 'a leaf of the slots',
    ending: 'marked',
    harm: () => destroyPage(path, middle('slot', 'leaf')),
    lost: NOTHING,
  },
  {
    name: 'an overflow page of what was refused',
    ending: 'marked',
    harm: () => destroyPage(path, middle('rejected', 'overflow')),
    lost: NOTHING,
  },
  { name: 'an index', ending: 'marked', harm: () => destroyPage(path, middle('slot_change', 'leaf')), lost: NOTHING },
  { name: 'the meters', harm: () => destroyPage(path, pagesOf(path, 'meter')[0]?.number ?? 0), lost: ALL },
  {
    name: 'a file cut short',
    harm: () => truncateSync(path, Math.floor(statSync(path).size / 8_192) * 4_096),
    lost: 0.8,
  },
  { name: 'an empty file', harm: () => truncateSync(path, 0), lost: ALL, aside: false },
  { name: 'no file', harm: () => rmSync(path), lost: ALL, aside: false },
  { name: 'no database', harm: () => writeFileSync(path, 'a shopping list '.repeat(1_000)), lost: ALL },
  { name: 'a missing WAL', ending: 'killed', harm: () => rmSync(`${path}-wal`), lost: 0.2, aside: false },
  { name: 'an empty file with its WAL', ending: 'killed', harm: () => truncateSync(path, 0), lost: ALL },
  { name: 'a WAL of another file', harm: () => borrowWal(), lost: NOTHING },
  {
    name: 'a stale index of the WAL',
    ending: 'killed',
    harm: () => writeFileSync(`${path}-shm`, Buffer.alloc(32_768, 7)),
    lost: NOTHING,
    aside: false,
    unnoticed: true,
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
  fillForeign(other);
  copyFileSync(`${other}-wal`, `${path}-wal`);
  rmSync(`${path}-shm`, { force: true });
  writeFileSync(`${path}.in-use`, `${String(logId)} 1 \n`);
}

/** Beyond what the same start takes without damage. */
const SERVED_WITHIN_MS = 2_000;
/** Two starts, one after the other, on a machine that does other things meanwhile. */
const NOISE = 3;

describe('served on', () => {
  const rows: string[] = [];
  afterAll(() => console.log(['to the first PUBACK, ms: wall/CPU (without damage)', ...rows].join('\n')));

  test.each(CASES)('$name', { timeout: 180_000 }, async ({ name, ending, harm, lost, aside, unnoticed }) => {
    const before = fillBuffer(path, ending);
    expect(before.size).toBe(9_000);
    harm();

    const took = await startAndStore();

    if (unnoticed === undefined) await salvaged();
    expect(asides()).toHaveLength(aside === false ? 0 : 1);
    const now = readingsIn(path);
    const missing = [...before].filter((one) => !now.has(one)).length;
    if (lost === NOTHING) expect(missing).toBe(0);
    else expect(missing).toBeGreaterThan(0);
    expect(missing).toBeLessThanOrEqual(before.size * lost);
    expect([...now].some((one) => one.startsWith('stranger'))).toBe(false);
    if (lost !== NOTHING) {
      const { health } = await status();
      expect(health.status).toBe('degraded');
      expect(health.checks.buffer.detail).toMatch(/^The buffer was damaged, noticed /);
      expect(gateway?.output()).toContain('buffer.damaged');
    }
    // It is not only served: it goes on being served by what is there now.
    await gateway?.stop();
    gateway = undefined;
    const usual = await startAndStore();
    const figures = [took.wallMs, took.cpuMs, usual.wallMs, usual.cpuMs].map((ms) => Math.round(ms));
    rows.push(`${name}: ${figures[0]}/${figures[1]} (${figures[2]}/${figures[3]})`);
    expect(took.cpuMs).toBeLessThan(usual.cpuMs + SERVED_WITHIN_MS);
    expect(took.wallMs).toBeLessThan(NOISE * usual.wallMs + SERVED_WITHIN_MS);
  });

  test('while the check of the whole file has not come to an end', { timeout: 60_000, retry: 2 }, async () => {
    const before = fillBuffer(path, 'marked');
    destroyPage(path, middle('reading', 'leaf'));
    // The check is a process of its own: it is stopped as soon as it is there, long before it has begun to read.
    const stopped = { pid: 0 };
    const looking = new AbortController();
    const stopCheck = async (gatewayPid: number): Promise<void> => {
      await until(
        'the check is there',
        () => {
          stopped.pid = childOf(gatewayPid, 'mending-process') ?? 0;
          if (stopped.pid !== 0) process.kill(stopped.pid, 'SIGSTOP');
          return stopped.pid !== 0 || looking.signal.aborted;
        },
        { everyMs: 2 },
      );
    };
    let stopping: Promise<void> = Promise.resolve();
    await startAndStore((pid) => (stopping = stopCheck(pid)));
    looking.abort();
    await stopping;
    expect(stopped.pid, 'the check of the file is a process of its own').not.toBe(0);
    expect(readingsIn(path).size).toBeGreaterThan(before.size);
    expect(asides()).toEqual([]);

    process.kill(stopped.pid, 'SIGCONT');
    await salvaged();
    expect(asides()).toHaveLength(1);
    expect(readingsIn(path).size).toBeGreaterThan(before.size * (1 - ONE_PAGE));
  });
});
