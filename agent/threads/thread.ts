import { Worker } from 'node:worker_threads';
import type { Clock, Random } from '../domain/clock.js';
import { messageOf, WattwardenError } from '../domain/errors.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import { backoffMs } from '../domain/supervise.js';
import { type Channel, createChannel, type Receiver, type Traffic } from './channel.js';

export interface Thread<To extends Traffic> extends Part {
  /** Dropped while the thread is down: after its restart it reads from the buffer what it has missed. */
  post(message: To['message']): void;
  ask(ask: To['ask'], deadlineMs: number): Promise<To['answer']>;
}

export interface ThreadOptions<From extends Traffic> {
  readonly name: string;
  /** The compiled entry; see worker.ts. */
  readonly entry: URL;
  /** Copied to the thread at each start. */
  readonly data: unknown;
  readonly receiver: Omit<Receiver<From>, 'onReady' | 'onStop'>;
  onRestart(): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const RESTART = { firstMs: 500, maxMs: 60_000 };
/** A thread that ran for so long before it died is started again as if it were the first time. */
const HEALTHY_MS = 300_000;

interface Running<To extends Traffic> {
  readonly worker: Worker;
  readonly channel: Channel<To>;
  readonly ended: Promise<void>;
}

/** A worker thread that is started again when it dies. */
export function createThread<To extends Traffic, From extends Traffic>(
  { name, entry, data, receiver, onRestart }: ThreadOptions<From>,
  { clock, random, log }: Surroundings,
): Thread<To> {
  const stopping = new AbortController();
  let running: Running<To> | undefined;
  let restarting: Promise<void> = Promise.resolve();
  let failures = 0;

  async function launch(): Promise<void> {
    const worker = new Worker(entry, { name, workerData: data });
    const startedAt = clock.monotonicMs();
    let failure: unknown;
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
    });
    const ready = new Promise<void>((resolve) => {
      const channel = createChannel<To, From>(worker, { ...receiver, onReady: resolve }, clock);
      running = { worker, channel, ended };
    });
    worker.on('error', (error) => {
      failure = error;
    });
    const died = ended.then(() => 'died' as const);
    if ((await Promise.race([ready, died])) === 'died') {
      running = undefined;
      throw failure ?? new WattwardenError('thread.died', `${name} ended while it started`);
    }
    void ended.then(() => {
      running?.channel.close();
      running = undefined;
      if (stopping.signal.aborted) return;
      if (clock.monotonicMs() - startedAt > HEALTHY_MS) failures = 0;
      restarting = restart(failure);
    });
  }

  async function restart(cause: unknown): Promise<void> {
    for (let failure = cause; !stopping.signal.aborted; ) {
      failures += 1;
      const pauseMs = backoffMs(failures, RESTART, random);
      log.error({ code: 'thread.died', thread: name, retryMs: pauseMs }, messageOf(failure ?? 'ended'));
      onRestart();
      await clock.sleep(pauseMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await launch();
        return;
      } catch (error) {
        failure = error;
      }
    }
  }

  return {
    name,
    start: launch,
    async stop(hurry) {
      stopping.abort();
      await restarting;
      const current = running;
      if (current === undefined) return;
      current.channel.stop();
      // What a worker has not handed over yet, it computes or sends again; only the writer has anything to flush.
      const terminate = (): void => void current.worker.terminate();
      if (hurry.aborted) terminate();
      hurry.addEventListener('abort', terminate, { once: true });
      await current.ended;
      hurry.removeEventListener('abort', terminate);
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
