import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { openServer, type Server } from '../api/server.js';
import { checkpoint } from '../buffer/checkpoint.js';
import { damageOf } from '../buffer/damage.js';
import { openWatchedReader } from '../buffer/watched-reader.js';
import { createFollowingClock } from '../domain/following-clock.js';
import { createLogger } from '../domain/log.js';
import { createMetrics, openEventLoopWatch } from '../domain/metrics.js';
import { STREAM_NAMES } from '../domain/stored.js';
import { supervise } from '../domain/supervise.js';
import { createModelStore } from '../model-store/store.js';
import type { FromOutward, ToOutward } from './messages.js';
import type { OutwardData } from './outward.js';
import type { Launched } from './thread.js';
import { serve } from './worker.js';

const PAGE = fileURLToPath(new URL('../ui/public', import.meta.url));

/** The page asks every two seconds; an answer that takes longer than this is no answer. */
const VIEW_WITHIN_MS = 2_000;
/** The writer never moves its log into the file itself: that would be an fsync in the way of readings. */
const CHECKPOINT_EVERY_MS = 30_000;
const CHECKPOINT_AGAIN_MS = 2_000;
const CHECKPOINT_BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
const HTTP_BACKOFF = { firstMs: 1_000, maxMs: 30_000 };
/** Once it listens there is nothing to do. */
const HTTP_LOOK_EVERY_MS = 3_600_000;

/** The outward thread: the page and the metrics, push and pull, and the checkpoints that the writer must not wait for. */
await serve<ToOutward, FromOutward>(async (toMain) => {
  const data = workerData as OutwardData & Launched;
  const log = createLogger(data.logLevel, data.terminal).child({ thread: 'outward' });
  const clock = createFollowingClock();
  const surroundings = { clock, random: Math.random, log };
  const metrics = createMetrics();
  const watch = openEventLoopWatch('outward', metrics);
  const post = (message: FromOutward['message']): void => toMain.post(message);
  const tellDamage = (cause: string, logId: string): void => post({ kind: 'damage', cause, logId });
  const reader = openWatchedReader(data.bufferPath, tellDamage);
  const held = new Int32Array(data.checkpointsHeld);

  metrics.beforeRead(() => {
    const backlog = reader.backlog();
    for (const stream of STREAM_NAMES) metrics.set('backlog_rows', backlog[stream], { stream });
    const { fileBytes, walBytes } = reader.totals();
    metrics.set('buffer_file_bytes', fileBytes + walBytes);
    metrics.set('buffer_wal_bytes', walBytes);
  });

  const models = createModelStore({ ...data.models, log });
  const replication =
    data.centre === null
      ? undefined
      : await (await import('./replication.js')).startReplication({
          ...surroundings,
          centre: data.centre,
          source: reader,
          models,
          post,
          metrics,
        });
  let isTruncateAsked = false;
  const checkpoints = supervise(
    {
      name: 'checkpoint',
      backoff: CHECKPOINT_BACKOFF,
      onFailure(error) {
        metrics.inc('loop_failures_total', 1, { loop: 'checkpoint' });
        const damage = damageOf(error);
        if (damage !== undefined) tellDamage(damage, reader.logId);
      },
      async turn() {
        if (Atomics.load(held, 0) === 1) return CHECKPOINT_AGAIN_MS;
        const truncate = isTruncateAsked;
        isTruncateAsked = false;
        const { overdue, writtenBytes } = checkpoint(data.bufferPath, { truncate });
        post({ kind: 'checkpointed', bytes: writtenBytes });
        metrics.inc('checkpoints_total', 1, { by: 'thread' });
        if (overdue) metrics.inc('checkpoints_held_total', 1);
        return overdue ? CHECKPOINT_AGAIN_MS : CHECKPOINT_EVERY_MS;
      },
    },
    surroundings,
  );

  // Last: a port that somebody has taken meanwhile must not end push, pull and checkpoints.
  let server: Server | undefined;
  async function serveHttp(): Promise<void> {
    server = await openServer({
      ...data.http,
      ...surroundings,
      gateway: data.gateway,
      silence: data.silence,
      source: reader,
      live: { view: () => toMain.ask('view', VIEW_WITHIN_MS) },
      metrics,
      assetsDir: PAGE,
    });
    post({ kind: 'listening', address: server.address });
  }
  if (!data.isRestart) await serveHttp();
  const serving = supervise(
    {
      name: 'http',
      backoff: HTTP_BACKOFF,
      onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'http' }),
      async turn() {
        if (server === undefined) await serveHttp();
        return HTTP_LOOK_EVERY_MS;
      },
    },
    surroundings,
  );

  return {
    onMessage(message) {
      switch (message.kind) {
        case 'clock':
          clock.follow(message.baseMs);
          return replication?.clockIs(message.isKnown);
        case 'rows-waiting':
          return replication?.wake();
        case 'checkpoint':
          isTruncateAsked ||= message.truncate;
          return checkpoints.now();
        case 'sync-now':
          return replication?.now();
      }
    },
    onAsk: () => Promise.reject(new Error('outward is asked nothing')),
    async stop() {
      await serving.stop();
      await server?.close();
      await replication?.stop();
      await checkpoints.stop();
      watch.close();
      reader.close();
    },
  };
});
