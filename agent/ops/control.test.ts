import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Part } from '../domain/lifecycle.js';
import { silentLogger } from '../domain/log.js';
import { askGateway, createControl } from './control.js';

const NEVER_ABORTED = new AbortController().signal;
let dir = '';
let path = '';
let control: Part;
let synced = 0;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-'));
  path = join(dir, 'g.sock');
  synced = 0;
  control = createControl(
    path,
    {
      view: async () => ({ connections: 3 }),
      import: async (about) => about.length,
      'sync-now': async () => {
        synced += 1;
      },
      'trust-clock': async () => undefined,
    },
    silentLogger,
  );
});
afterEach(async () => {
  await control.stop(NEVER_ABORTED);
  await rm(dir, { recursive: true });
});

test('asks and changes a running gateway', async () => {
  await control.start();
  expect(await askGateway(path, 'view')).toEqual({ connections: 3 });
  expect(await askGateway(path, 'sync-now')).toBeNull();
  expect(synced).toBe(1);
});

test('only its owner may open the socket', async () => {
  await control.start();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('takes the place of what a killed gateway left behind', async () => {
  await writeFile(path, '');
  await control.start();
  expect(await askGateway(path, 'view')).toEqual({ connections: 3 });
});

test('no gateway: says so', async () => {
  await expect(askGateway(path, 'view')).rejects.toMatchObject({ code: 'gateway.not_running' });
});

test('strange requests get a reply and do no harm', async () => {
  await control.start();
  const replies = await Promise.all(['rm -rf\n', '\n', 'x'.repeat(100_000)].map((request) => raw(request)));
  for (const reply of replies)
    expect(JSON.parse(reply)).toMatchObject({ error: expect.stringContaining('unknown command') });
  expect(synced).toBe(0);
});

test('stops while a client holds the line', async () => {
  await control.start();
  const client = connect(path);
  await new Promise((resolve) => client.once('connect', resolve));
  const closed = new Promise((resolve) => client.once('close', resolve));
  await control.stop(NEVER_ABORTED);
  await closed;
});

function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(path, () => socket.write(request));
    socket.on('data', (chunk) => (reply += chunk));
    socket.on('error', reject);
    socket.on('end', () => resolve(reply));
  });
}
