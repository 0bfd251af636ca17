import { fileURLToPath } from 'node:url';
import { openServer, type Server } from '../api/server.js';
import { checkpoint } from '../buffer/checkpoint.js';
import { damageOf } from '../buffer/damage.js';
import type { BufferReader } from '../buffer/reader.js';
import type { Clock, Random } from '../domain/clock.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { STREAM_NAMES } from '../domain/stored.js';
import { supervise } from '../domain/supervise.js';
import type { ModelStore } from '../model-store/store.js';
import type { CompanionData } from './companion.js';
import type { FromCompanion, MainView } from './messages.js';
import type { Launched } from './thread.js';

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

interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly reader: BufferReader;
  readonly models: ModelStore;
  readonly post: (message: FromCompanion['message']) => void;
  readonly tellDamage: (cause: string, logId: string) => void;
  view(withinMs: number): Promise<MainView>;
  /** A release that pull has brought and agent/model-store/store.ts has verified and installed. */
  onBundleArrived(): void;
}

export interface Outward {
  /** Something new may be pushed. */
  rowsWaiting(): void;
  /** Push and pull at once. */
  syncNow(): void;
  /** Whether the gateway knows the time. */
  clockIs(isKnown: boolean): void;
  /** The log goes into the file at once, and is cut to nothing where that is asked for. */
  checkpoint(how: { readonly truncate: boolean }): void;
  stop(): Promise<void>;
}

/** The page and the metrics, push and pull, and the checkpoints that the writer must not wait for. */
export async function startOutward(data: CompanionData & Launched, shared: Shared): Promise<Outward> {
  const { reader, metrics, post, tellDamage, models } = shared;
  const held = new Int32Array(data.checkpointsHeld);

  metrics.beforeRead(() => {
    const backlog = reader.backlog();
    for (const stream of STREAM_NAMES) metrics.set('backlog_rows', backlog[stream], { stream });
    const { fileBytes, walBytes } = reader.totals();
    metrics.set('buffer_file_bytes', fileBytes + walBytes);
    metrics.set('buffer_wal_bytes', walBytes);
  });

  const replication =
    data.centre === null
      ? undefined
      : await (await import('./replication.js')).startReplication({
          ...shared,
          centre: data.centre,
          source: reader,
          models,
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
    shared,
  );

  // Last: a port that somebody has taken meanwhile must not end push, pull and checkpoints.
  let server: Server | undefined;
  async function serveHttp(): Promise<void> {
    server = await openServer({
      ...data.http,
      ...shared,
      gateway: data.gateway,
      silence: data.silence,
      source: reader,
      live: { view: () => shared.view(VIEW_WITHIN_MS) },
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
    shared,
  );

  return {
    rowsWaiting: () => replication?.wake(),
    syncNow: () => replication?.now(),
    clockIs: (isKnown) => replication?.clockIs(isKnown),
    checkpoint({ truncate }) {
      isTruncateAsked ||= truncate;
      checkpoints.now();
    },
    async stop() {
      await serving.stop();
      await server?.close();
      await replication?.stop();
      await checkpoints.stop();
    },
  };
}
