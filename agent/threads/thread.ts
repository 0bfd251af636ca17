import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { Clock, Random } from '../domain/clock.js';
import { messageOf, WattwardenError } from '../domain/errors.js';
import { keepSmallBeside } from '../domain/heap-growth.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import { backoffMs } from '../domain/supervise.js';
import { type Channel, createChannel, type Receiver, type Traffic } from './channel.js';

/**
 * Its young objects: at most a few megabytes at a time are in use, and what is allowed is also kept. A thread works in
 * batches and is nobody's bottleneck, so that it may collect more often.
 */
const LIMITS = { maxYoungGenerationSizeMb: 3 };

export interface Thread<To extends Traffic> extends Part {
  /** Dropped while the thread is down: after its restart it reads from the buffer what it has missed. */
  post(message: To['message']): void;
  ask(ask: To['ask'], deadlineMs: number): Promise<To['answer']>;
  /** Ends it in order and starts it anew: what it reads from is another file now. */
  renew(): void;
}

export interface ThreadOptions<From extends Traffic> {
  readonly name: string;
  /** The compiled entry; see worker.ts. */
  readonly entry: URL;
  /** Copied to the thread at each start, together with what Launched says. */
  readonly data: object;
  readonly receiver: Omit<Receiver<From>, 'onReady' | 'onStop'>;
  onRestart(cause: unknown): void;
  /** Mends what kept it from starting the first time, when that can be done; it is then started once more. */
  mend?(cause: unknown): boolean;
}

/** What every thread is told beside its own data. */
export interface Launched {
  /** Whatever fails at the first start is told to whoever starts the gateway; later on nobody is there. */
  readonly isRestart: boolean;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const RESTART = { firstMs: 500, maxMs: 60_000 };
/** A thread that ran for so long before it died is started again as if it were the first time. */
const HEALTHY_MS = 300_000;
/** A thread that has not started by then holds nothing that is worth waiting for. */
const STARTED_WITHIN_STOP_MS = 2_000;
/** What a thread does not finish by then it does again after its renewal. */
const RENEWED_WITHIN_MS = 2_000;

interface Running<To extends Traffic> {
  readonly worker: Worker;
  readonly channel: Channel<To>;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** A worker thread that is started again when it dies. */
export function createThread<To extends Traffic, From extends Traffic>(
  { name, entry, data, receiver, onRestart, mend }: ThreadOptions<From>,
  { clock, random, log }: Surroundings,
): Thread<To> {
  const stopping = new AbortController();
  let running: Running<To> | undefined;
  let restarting: Promise<void> = Promise.resolve();
  let failures = 0;
  let renewing = false;

  async function launch(isRestart: boolean): Promise<void> {
    const worker = new Worker(entry, {
      name,
      workerData: { ...data, isRestart } satisfies Launched,
      resourceLimits: LIMITS,
      // What a thread tells a native library by its environment must reach it.
      env: SHARE_ENV,
    });
    keepSmallBeside(worker);
    const startedAt = clock.monotonicMs();
    let failure: unknown;
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
    });
    let onReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => (onReady = resolve));
    const channel = createChannel<To, From>(worker, { ...receiver, onReady }, clock);
    running = { worker, channel, ready, ended };
    worker.on('error', (error) => {
      failure = error;
    });
    const died = ended.then(() => 'died' as const);
    if ((await Promise.race([ready, died])) === 'died') {
      channel.close();
      running = undefined;
      if (renewing && !stopping.signal.aborted) {
        // Its file was replaced while it started, which on a busy machine takes longer than a renewal waits.
        renewing = false;
        return await launch(isRestart);
      }
      throw failure ?? new WattwardenError('thread.died', `${name} ended while it started`);
    }
    void ended.then(() => {
      channel.close();
      running = undefined;
      if (stopping.signal.aborted) return;
      if (renewing) {
        renewing = false;
        restarting = launch(true).catch(restart);
        return;
      }
      if (clock.monotonicMs() - startedAt > HEALTHY_MS) failures = 0;
      restarting = restart(failure);
    });
  }

  async function restart(cause: unknown): Promise<void> {
    for (let failure = cause; !stopping.signal.aborted; ) {
      failures += 1;
      const pauseMs = backoffMs(failures, RESTART, random);
      log.error({ code: 'thread.died', thread: name, retryMs: pauseMs }, messageOf(failure ?? 'ended'));
      onRestart(failure);
      await clock.sleep(pauseMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await launch(true);
        return;
      } catch (error) {
        failure = error;
      }
    }
  }

  async function end({ worker, channel, ready, ended }: Running<To>, hurry: AbortSignal): Promise<void> {
    channel.stop();
    // What a worker has not handed over yet, it computes or sends again; only the writer has anything to flush.
    const terminate = (): void => void worker.terminate();
    if (hurry.aborted) terminate();
    hurry.addEventListener('abort', terminate, { once: true });
    const over = new AbortController();
    const late = clock.sleep(STARTED_WITHIN_STOP_MS, over.signal).then(() => 'late' as const);
    if ((await Promise.race([ready, ended, late])) === 'late') terminate();
    over.abort();
    await ended;
    hurry.removeEventListener('abort', terminate);
  }

  return {
    name,
    alongside: true,
    async start() {
      try {
        await launch(false);
      } catch (error) {
        if (mend?.(error) !== true) throw error;
        await launch(false);
      }
    },
    renew() {
      if (running === undefined || renewing) return; // a restart that waits opens everything anew
      renewing = true;
      const late = new AbortController();
      const over = new AbortController();
      void clock.sleep(RENEWED_WITHIN_MS, over.signal).then(() => late.abort());
      void end(running, late.signal).finally(() => over.abort());
    },
    async stop(hurry) {
      stopping.abort();
      // A restart that waits ends now; one that is under way has a worker already, which may hang.
      if (running !== undefined) await end(running, hurry);
      await restarting;
    },
    post(message) {
      running?.channel.post(message);
    },
    async ask(ask, deadlineMs) {
      if (running === undefined) throw new WattwardenError('thread.died', name);
      return await running.channel.ask(ask, deadlineMs);
    },
  };
}
