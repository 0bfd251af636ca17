import { askTime } from '../../cloud-sync/pull/centre-time.js';
import { createPull } from '../../cloud-sync/pull/pull.js';
import { createPush, type PushSource } from '../../cloud-sync/push/push.js';
import { createCentreLink } from '../../cloud-sync/timescale/centre-link.js';
import { readSecret } from '../../config/secrets.js';
import type { Clock, Random } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import type { Metrics } from '../domain/metrics.js';
import { type Loop, supervise } from '../domain/supervise.js';
import type { ModelStore } from '../model-store/store.js';
import type { CentreSettings } from './companion.js';
import type { FromCompanion } from './messages.js';
import { watchedLink } from './watched-link.js';

interface ReplicationOptions {
  readonly centre: CentreSettings;
  readonly source: PushSource;
  readonly models: ModelStore;
  readonly post: (message: FromCompanion['message']) => void;
  onBundleArrived(): void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Replication {
  /** Something new may be pushed. */
  wake(): void;
  /** Push and pull at once. */
  now(): void;
  /** Whether the gateway knows the time. */
  clockIs(isKnown: boolean): void;
  stop(): Promise<void>;
}

/** A link that is down is tried again within a minute or two; a fleet that lost it together comes back spread out. */
const BACKOFF = { firstMs: 1_000, maxMs: 120_000 };
/** While nothing fails, one message says so now and then. */
const SAY_CONNECTED_EVERY_MS = 10_000;
/** The kernel's counter drifts by some seconds a day. */
const ASK_TIME_EVERY_MS = 600_000;
const ASK_UNKNOWN_TIME_EVERY_MS = 15_000;

/** Push and pull over one link to the centre, each a loop of its own. */
export async function startReplication(options: ReplicationOptions): Promise<Replication> {
  const { centre, source, models, post, clock, log, metrics } = options;
  const { secret, ...address } = centre;
  const state = createLinkState(post, clock);
  const session = createCentreLink(() => ({ ...address, password: readSecret(secret, 'password') }));
  const link = watchedLink(session, state.disconnected);
  await models.removeLeftovers();
  let installed = await models.newestVersion();

  const push = createPush({
    source,
    centre: link,
    batchRows: centre.batchRows,
    metrics: {
      sent: (stream, rows) => metrics.inc('push_rows_total', rows, { stream }),
      rejected: (stream) => metrics.inc('push_rows_rejected_total', 1, { stream }),
    },
    setAside(stream, row, reason) {
      const position = 'seq' in row ? row.seq : row.changeSeq;
      log.error({ stream, position, meter: row.meter, code: 'centre.rejected_batch' }, `row set aside: ${reason}`);
    },
    settle: (stream, settled) => post({ kind: 'settled', stream, settled }),
  });
  const pull = createPull({ centre: link, store: models, installedVersion: () => installed, clock });

  const pushing = loop('push', async (signal) => {
    const { more } = await push.pushOnce(signal);
    return more ? 0 : centre.pushIntervalMs;
  });
  const pulling = loop('pull', async (signal) => {
    const pulled = await pull.pullOnce(signal);
    if (pulled.outcome === 'refused') {
      const { version, code, detail } = pulled;
      post({ kind: 'bundle', bundle: { state: 'refused', version, code, detail } });
    }
    if (pulled.outcome === 'received') {
      installed = pulled.version;
      log.info({ version: pulled.version }, 'received a release');
      options.onBundleArrived();
    }
    return centre.pullIntervalMs;
  });

  let isTimeKnown = true;
  const asking = loop('time', async (signal) => {
    const told = await askTime(link, clock, signal);
    if (told !== undefined) post({ kind: 'told', told });
    return isTimeKnown ? ASK_TIME_EVERY_MS : ASK_UNKNOWN_TIME_EVERY_MS;
  });

  function loop(name: string, work: (signal: AbortSignal) => Promise<number>): Loop {
    return supervise(
      {
        name,
        backoff: BACKOFF,
        async turn(signal) {
          const pauseMs = await work(signal);
          state.connected();
          return pauseMs;
        },
        onFailure(error) {
          metrics.inc('loop_failures_total', 1, { loop: name });
          state.disconnected(messageOf(error));
        },
      },
      options,
    );
  }

  return {
    wake: () => pushing.wake(),
    now() {
      pushing.now();
      pulling.now();
    },
    clockIs(isKnown) {
      if (isTimeKnown && !isKnown) asking.wake();
      isTimeKnown = isKnown;
    },
    async stop() {
      await Promise.all([pushing.stop(), pulling.stop(), asking.stop()]);
      await link.close();
    },
  };
}

function createLinkState(post: (message: FromCompanion['message']) => void, clock: Clock) {
  let lastSuccessMs: number | null = null;
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return {
    connected(): void {
      lastSuccessMs = clock.now();
      if (clock.monotonicMs() - saidAtMs < SAY_CONNECTED_EVERY_MS) return;
      saidAtMs = clock.monotonicMs();
      post({ kind: 'link', link: { state: 'connected', detail: '', lastSuccessMs } });
    },
    disconnected(detail: string): void {
      saidAtMs = Number.NEGATIVE_INFINITY;
      post({ kind: 'link', link: { state: 'disconnected', detail, lastSuccessMs } });
    },
  };
}
