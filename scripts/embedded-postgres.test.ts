import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { silentLogger } from '../agent/domain/log.js';
import { type Connection, connect } from '../cloud-sync/timescale/connection.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from './embedded-postgres.js';

const parents: string[] = [];
const servers: EmbeddedPostgres[] = [];
/** Of two tests, since making a cluster on a busy disk takes its time. */
const kept = await newDataDir();
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(async () => {
  for (const parent of parents) await rm(parent, { recursive: true });
});

async function newDataDir(mode = 0o755): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'wattwarden-postgres-test-'));
  parents.push(parent);
  await chmod(parent, mode);
  return join(parent, 'postgres');
}

async function open(dataDir: string, throwaway = false): Promise<EmbeddedPostgres> {
  const server = await openEmbeddedPostgres({ dataDir, log: silentLogger, throwaway });
  servers.push(server);
  return server;
}

const connectTo = ({ host, port, superuser: user, password }: EmbeddedPostgres): Promise<Connection> =>
  connect({ host, port, user, password, database: 'postgres', tls: { mode: 'off' } });

test('what was written is there after a stop, under the same password, which nobody else can read', async () => {
  const dataDir = kept;
  const first = await open(dataDir);
  const writing = await connectTo(first);
  await writing.query('create table kept (a integer)');
  await writing.close();
  await first.stop();
  expect((await stat(first.passwordFile)).mode & 0o777).toBe(0o600);
  expect(first.password).toHaveLength(32);
  const second = await open(dataDir);
  expect(second.password).toBe(first.password);
  const reading = await connectTo(second);
  expect(await reading.query('select * from kept')).toEqual([]);
  expect(await reading.query('show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  const [rights] = await reading.query(
    `select has_database_privilege('public', 'postgres', 'connect') as to_everybody`,
  );
  expect(rights).toEqual({ to_everybody: false });
  await reading.close();
});

test('it starts again after server and program were killed, whoever bears the old process number now', async () => {
  const dataDir = kept;
  const first = await open(dataDir);
  process.kill(first.pid, 'SIGKILL');
  await untilDead(first.pid);
  const cluster = await clusterOf(dataDir);
  const file = join(cluster, 'postmaster.pid');
  expect(await readFile(file, 'utf8')).toContain(String(first.pid));
  await first.stop();
  const alive = await open(dataDir);
  await alive.stop();
  // As after the restart of a container: the number in the file is that of a living process of another kind.
  await writeFile(file, `${process.pid}\n${cluster}\n`);
  const second = await open(dataDir);
  await (await connectTo(second)).close();
});

test('a directory that the server’s user cannot reach is no obstacle; a throwaway server leaves no data behind', async () => {
  const dataDir = await newDataDir(0o700);
  const first = await open(dataDir);
  await first.stop();
  const cluster = await clusterOf(dataDir);
  expect((await stat(cluster)).isDirectory()).toBe(true);
  const second = await open(dataDir, true);
  await (await connectTo(second)).close();
  await second.stop();
  await expect(stat(cluster)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a port in use is named', async () => {
  const other = createServer();
  const port = await new Promise<number>((done) => {
    other.listen(0, '127.0.0.1', () => {
      const address = other.address();
      done(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const opening = openEmbeddedPostgres({ dataDir: await newDataDir(), log: silentLogger, port, throwaway: true });
  await expect(opening).rejects.toMatchObject({ code: 'port.in_use' });
  await new Promise((closed) => other.close(closed));
});

async function clusterOf(dataDir: string): Promise<string> {
  const moved = await readFile(join(dataDir, 'moved-to'), 'utf8').catch(() => dataDir);
  return join(moved.trim(), 'cluster');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} lives on`);
    await new Promise((turn) => setTimeout(turn, 10));
  }
}
