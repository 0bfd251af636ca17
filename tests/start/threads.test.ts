import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBuffer } from '../../agent/buffer/buffer.js';
import { systemClock } from '../../agent/domain/clock.js';
import { silentLogger } from '../../agent/domain/log.js';
import type { AnalyticsData } from '../../agent/threads/analytics.js';
import type { OutwardData } from '../../agent/threads/outward.js';
import type { Launched } from '../../agent/threads/thread.js';
import { until } from '../kit/until.js';

const OUTWARD = new URL('../../dist/agent/threads/outward-worker.js', import.meta.url);
const ANALYTICS = new URL('../../dist/agent/threads/analytics-worker.js', import.meta.url);
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-restart-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('an outward thread that starts again works without its port, and takes it once it is free', async () => {
  const bufferPath = join(dir, 'buffer.sqlite');
  const bounds = { slotGraceMs: 0, maxRejected: 1, maxRejectedBytes: 1_000_000, retentionMs: 1, keepUnsettled: false };
  const buffer = openBuffer({ ...bounds, path: bufferPath, clock: systemClock, log: silentLogger });
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const data: OutwardData & Launched = {
    isRestart: true,
    gateway: 'test',
    bufferPath,
    silence: { intervals: 3, atLeastMs: 1_000, atMostMs: 1_000, activeHours: { from: 0, to: 24 }, meters: new Map() },
    http: { host: '127.0.0.1', port },
    models: { dir: join(dir, 'models'), shippedDir: dir, trustedKeys: [] },
    centre: null,
    logLevel: 'error',
    terminal: false,
    checkpointsHeld: new SharedArrayBuffer(4),
  };
  const worker = new Worker(OUTWARD, { workerData: data });
  const heard: object[] = [];
  worker.on('message', (message: object) => heard.push(message));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  try {
    await until('it is ready', () => heard.some((message) => 'type' in message && message.type === 'ready'));
    expect(JSON.stringify(heard)).not.toContain('listening');
    await new Promise((resolve) => taken.close(resolve));
    await until('it listens', () => JSON.stringify(heard).includes(`"address":"http://127.0.0.1:${port}"`));
  } finally {
    worker.postMessage({ type: 'stop' });
    await ended;
    buffer.close();
  }
});

test('the analytics thread is ready without any model that serves, and says what was refused', async () => {
  const bufferPath = join(dir, 'buffer.sqlite');
  const bounds = { slotGraceMs: 0, maxRejected: 1, maxRejectedBytes: 1_000_000, retentionMs: 1, keepUnsettled: false };
  const buffer = openBuffer({ ...bounds, path: bufferPath, clock: systemClock, log: silentLogger });
  const data: AnalyticsData & Launched = {
    isRestart: false,
    bufferPath,
    models: { dir: join(dir, 'models'), shippedDir: join(dir, 'nowhere'), trustedKeys: [] },
    judgement: { threshold: 0.6, language: 'en' },
    logLevel: 'error',
    terminal: false,
  };
  const worker = new Worker(ANALYTICS, { workerData: data });
  const heard: object[] = [];
  worker.on('message', (message: object) => heard.push(message));
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  try {
    await until('it is ready', () => heard.some((message) => 'type' in message && message.type === 'ready'));
    expect(heard[0]).toMatchObject({ type: 'message', body: { kind: 'bundle', bundle: { state: 'refused' } } });
  } finally {
    worker.postMessage({ type: 'stop' });
    await ended;
    buffer.close();
  }
});
