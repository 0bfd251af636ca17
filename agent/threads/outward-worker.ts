import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { openServer, type Server } from '../api/server.js';
import { checkpoint } from '../buffer/checkpoint.js';
import { openReader } from '../buffer/reader.js';
import { systemClock } from '../domain/clock.js';
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
  const surroundings = { clock: systemClock, random: Math.random, log };
  const metrics = createMetrics();
  const watch = openEventLoopWatch('outward', metrics);
  const reader = openReader(data.bufferPath);
  const post = (message: FromOutward['message']): void => toMain.post(message);

  metrics.beforeRead(() => {
    const backlog = reader.backlog();
    for (const stream of STREAM_NAMES) metrics.set('backlog_rows', backlog[stream], { stream });
    const { fileBytes, walBytes } = reader.totals();
    metrics.set('buffer_file_bytes', fileBytes + walBytes);
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
  const checkpoints = supervise(
    {
      name: 'checkpoint',
      backoff: CHECKPOINT_BACKOFF,
      onFailure: () => metrics.inc('loop_failures_total', 1, { loop: 'checkpoint' }),
      async turn() {
        return checkpoint(data.bufferPath).overdue ? CHECKPOINT_AGAIN_MS : CHECKPOINT_EVERY_MS;
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
        case 'rows-waiting':
          return replication?.wake();
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
