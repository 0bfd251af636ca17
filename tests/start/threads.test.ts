import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { systemClock } from '../../agent/domain/clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import type { CompanionData } from '../../agent/threads/companion.js';
import type { Launched } from '../../agent/threads/thread.js';
import { until } from '../kit/until.js';

const COMPANION = new URL('../../dist/agent/threads/companion-worker.js', import.meta.url);
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-restart-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A companion on an empty buffer, and all that it says. */
async function withCompanion(
  changes: Partial<CompanionData & Launched>,
  look: (heard: readonly object[]) => Promise<void>,
): Promise<void> {
  const bufferPath = join(dir, 'buffer.sqlite');
  const bounds = { slotGraceMs: 0, maxRejected: 1, maxRejectedBytes: 1_000_000, retentionMs: 1, keepUnsettled: false };
  const buffer = openBuffer({ ...bounds, path: bufferPath, clock: systemClock, log: silentLogger });
  const data: CompanionData & Launched = {
    isRestart: false,
    gateway: 'test',
    bufferPath,
    silence: { intervals: 3, atLeastMs: 1_000, atMostMs: 1_000, activeHours: { from: 0, to: 24 }, meters: new Map() },
    http: { host: '127.0.0.1', port: 0 },
    models: { dir: join(dir, 'models'), shippedDir: join(dir, 'nowhere'), trustedKeys: [] },
    judgement: null,
    centre: null,
    logLevel: 'error',
    terminal: false,
    checkpointsHeld: new SharedArrayBuffer(4),
    ...changes,
  };
  const worker = new Worker(COMPANION, { workerData: data });
  const heard: object[] = [];
  worker.on('message', (message: object) => heard.push(message));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  try {
    await until('it is ready', () => heard.some((message) => 'type' in message && message.type === 'ready'));
    await look(heard);
  } finally {
    worker.postMessage({ type: 'stop' });
    await ended;
    buffer.close();
  }
}

test('a companion that starts again works without its port, and takes it once it is free', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await withCompanion({ isRestart: true, http: { host: '127.0.0.1', port } }, async (heard) => {
    expect(JSON.stringify(heard)).not.toContain('listening');
    await new Promise((resolve) => taken.close(resolve));
    await until('it listens', () => JSON.stringify(heard).includes(`"address":"http://127.0.0.1:${port}"`));
  });
});

test('without any model that serves it listens, and says what was refused', async () => {
  await withCompanion({ judgement: { threshold: 0.6, language: 'en', timeZone: 'UTC' } }, async (heard) => {
    await until('it says so', () => JSON.stringify(heard).includes('"state":"refused"'));
    expect(JSON.stringify(heard)).toContain('listening');
  });
});
