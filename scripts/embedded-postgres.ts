import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../agent/domain/errors.js';
import { listenError } from '../agent/domain/lifecycle.js';
import type { Logger } from '../agent/domain/log.js';
import { findPlace, forgetMoved, type Place } from './embedded-postgres-place.js';

export interface EmbeddedPostgresOptions {
  /** Made when missing, used again when it holds a cluster. */
  readonly dataDir: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly log: Logger;
  /** For tests: nothing is synced to the disk, and `stop` removes the cluster. */
  readonly throwaway?: boolean;
}

export interface EmbeddedPostgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly superuser: 'postgres';
  readonly password: string;
  readonly passwordFile: string;
  /** The server's own process, for tests of its death. */
  readonly pid: number;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
/** Recovery after a power cut replays at most max_wal_size, 1 GB. */
const START_DEADLINE_MS = 120_000;
/** How long a server that lost its program may take to end before this is somebody else's running server. */
const FORMER_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 20_000;
const POLL_MS = 10;
/** Another process may take the port between our choice and the server's bind. */
const PORT_ATTEMPTS = 5;
const KEPT_LOG_LINES = 20;

/** A real PostgreSQL on loopback that ends with this process, in order, however this process ends. */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const place = findPlace(dataDir);
  const cluster = join(place.clusterParent, 'cluster');
  const passwordFile = join(dataDir, 'password');
  const throwaway = options.throwaway ?? false;
  // Said before anything is made; a free port is chosen later, when the server starts.
  if (options.port !== undefined && options.port !== 0) await choosePort(options.port);
  if (!existsSync(cluster)) createCluster({ place, cluster, passwordFile, throwaway });
  await formerServerEnded(cluster);
  const { server, port } = await startServer({ ...options, place, cluster, throwaway });
  const stopServer = server.stop;
  let stopping: Promise<void> | undefined;
  return {
    host: HOST,
    port,
    superuser: SUPERUSER,
    password: readFileSync(passwordFile, 'utf8').trim(),
    passwordFile,
    pid: server.pid,
    stop() {
      stopping ??= stopServer().then(() => {
        if (!throwaway) return;
        rmSync(cluster, { recursive: true, force: true });
        forgetMoved(dataDir);
      });
      return stopping;
    },
  };
}

interface NewCluster {
  readonly place: Place;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly throwaway: boolean;
}

/** Made under another name first, so that an interrupted initdb leaves nothing that looks like a cluster. */
function createCluster({ place, cluster, passwordFile, throwaway }: NewCluster): void {
  const password = randomBytes(24).toString('base64url');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const unfinished = `${cluster}.unfinished`;
  const handedOver = `${cluster}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  rmSync(handedOver, { force: true });
  writeFileSync(handedOver, `${password}\n`, { mode: 0o600, flag: 'wx' });
  const { uid, gid } = place.runAs;
  if (uid !== undefined && gid !== undefined) {
    chownSync(unfinished, uid, gid);
    chownSync(handedOver, uid, gid);
  }
  const args = ['--pgdata', unfinished, '--username', SUPERUSER, '--pwfile', handedOver, '--auth=scram-sha-256'];
  args.push('--encoding=UTF8', '--no-locale', '--no-instructions', ...(throwaway ? ['--no-sync'] : []));
  const initdb = spawnSync(join(place.nativeDir, 'bin', 'initdb'), args, { ...spawnOptions(place), encoding: 'utf8' });
  rmSync(handedOver, { force: true });
  if (initdb.status !== 0) {
    throw new Error(`initdb failed: ${initdb.error?.message ?? initdb.stderr.trim()}`);
  }
  closeToEverybody(place, unfinished);
  renameSync(unfinished, cluster);
}

/** Databases that belong to nobody in particular are for the superuser alone. */
function closeToEverybody(place: Place, cluster: string): void {
  const statement = 'revoke all on database postgres, template1 from public';
  const single = spawnSync(join(place.nativeDir, 'bin', 'postgres'), ['--single', '-D', cluster, 'postgres'], {
    ...spawnOptions(place),
    input: `${statement}\n`,
    encoding: 'utf8',
  });
  if (single.status !== 0) throw new Error(`${statement}: ${single.error?.message ?? single.stderr.trim()}`);
}

/** Nothing of this process's environment: it may hold secrets. */
const spawnOptions = ({ runAs }: Place) => ({
  ...runAs,
  cwd: '/',
  env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
});

interface Start extends EmbeddedPostgresOptions {
  readonly place: Place;
  readonly cluster: string;
  readonly throwaway: boolean;
}

async function startServer(start: Start): Promise<{ server: Server; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(start.port ?? 0);
    const server = spawnServer(start, port);
    const outcome = await readyOrEnded(server, start.cluster);
    if (outcome === 'ready') return { server, port };
    await server.stop();
    if (start.port !== undefined && start.port !== 0) attempt = PORT_ATTEMPTS;
    if (attempt >= PORT_ATTEMPTS) throw new Error(`PostgreSQL did not start: ${server.lastLines().join(' | ')}`);
  }
}

async function choosePort(wanted: number): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((taken, failed) => {
    probe.once('error', (error) => failed(listenError(error, `${HOST}:${wanted}`)));
    probe.listen(wanted, HOST, () => {
      const address = probe.address();
      taken(typeof address === 'object' && address !== null ? address.port : wanted);
    });
  });
  await new Promise((closed) => probe.close(closed));
  return port;
}

interface Server {
  readonly pid: number;
  ended(): boolean;
  lastLines(): readonly string[];
  stop(): Promise<void>;
}

function spawnServer({ place, cluster, throwaway, log }: Start, port: number): Server {
  const settings = [...SETTINGS, ...(throwaway ? THROWAWAY_SETTINGS : [])].flatMap((setting) => ['-c', setting]);
  const args = ['-D', cluster, '-p', String(port), ...settings];
  // A process group of its own: Ctrl-C reaches the whole group of this program, which must be able to write until it
  // has stopped its parts in order.
  const child = spawn(join(place.nativeDir, 'bin', 'postgres'), args, {
    ...spawnOptions(place),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  let isOver = false;
  const exited = new Promise<void>((done) => {
    const over = () => {
      isOver = true;
      done();
    };
    child.once('exit', over);
    child.once('error', (error) => {
      lines.push(error.message);
      over();
    });
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.debug({}, line);
    if (lines.push(line) > KEPT_LOG_LINES) lines.shift();
  });
  watchOver(child);
  return {
    pid: child.pid ?? 0,
    ended: () => isOver,
    lastLines: () => lines,
    async stop() {
      child.ref();
      if (!isOver) child.kill('SIGINT'); // fast shutdown: sessions are ended, data is written
      const late = setTimeout(() => child.kill('SIGQUIT'), STOP_DEADLINE_MS);
      await exited;
      clearTimeout(late);
    },
  };
}

const SETTINGS = [
  `listen_addresses=${HOST}`,
  'unix_socket_directories=',
  'max_connections=100',
  'timezone=UTC',
  'log_timezone=UTC',
  'password_encryption=scram-sha-256',
];
const THROWAWAY_SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
  'shared_buffers=16MB',
];

/** A pipe that nobody holds any more is the one sign of death that also SIGKILL gives. */
function watchOver(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watcher = spawn('sh', ['-c', 'read -r ended || kill -INT "$1"', 'sh', String(child.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.once('exit', () => watcher.stdin?.end('ended\n'));
  watcher.stdin?.on('error', () => undefined); // it may be gone already; there is nothing left to watch then
  for (const held of [child, child.stderr, watcher, watcher.stdin]) {
    if (held !== null && 'unref' in held && typeof held.unref === 'function') held.unref();
  }
}

async function readyOrEnded(server: Server, cluster: string): Promise<'ready' | 'ended'> {
  const deadline = performance.now() + START_DEADLINE_MS;
  while (!server.ended() && performance.now() < deadline) {
    const file = postmasterFile(cluster);
    if (file?.pid === server.pid && file.status === 'ready') return 'ready';
    await delay(POLL_MS);
  }
  return 'ended';
}

/** Waits for the server of a killed program, and removes the file of one that was killed itself. */
async function formerServerEnded(cluster: string): Promise<void> {
  const deadline = performance.now() + FORMER_DEADLINE_MS;
  for (let file = postmasterFile(cluster); file !== undefined; file = postmasterFile(cluster)) {
    if (!isServerOf(cluster, file.pid)) return rmSync(join(cluster, 'postmaster.pid'), { force: true });
    if (performance.now() > deadline) {
      throw new Error(`a running program uses the data in ${cluster} (PostgreSQL is process ${file.pid})`);
    }
    await delay(POLL_MS);
  }
}

/** The number may belong to another process by now: after a restart of a container it usually does. */
function isServerOf(cluster: string, pid: number): boolean {
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
    } catch {
      return false; // no such process, or one of another user
    }
  }
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes(cluster);
}

/** The first line is the process, the eighth what it is doing. */
function postmasterFile(cluster: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, status: lines[7]?.trim() ?? '' } : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
