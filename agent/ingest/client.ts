import type { Clock, Random } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import { backoffMs, type Loop, supervise } from '../domain/supervise.js';
import type { SessionEvents, SessionOptions } from './client-session.js';
import type { GroupCommit } from './group-commit.js';
import type { Sink } from './publication.js';

export interface ClientOptions extends Omit<SessionOptions, 'password' | 'ca' | 'cert' | 'key'> {
  readonly maxRetryMs: number;
  /** Looked up anew for each connection, so that a changed file needs no restart. */
  readonly secrets: () => Pick<SessionOptions, 'password' | 'ca' | 'cert' | 'key'>;
}

export interface ClientEvents extends SessionEvents {
  failed(): void;
}

interface Surroundings {
  readonly commits: GroupCommit;
  readonly isReading: Sink['isReading'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: ClientEvents;
}

const FIRST_RETRY_MS = 1_000;
/** A connection that ends sooner has failed: a second client of the same name would end it again and again. */
const LIVED_MS = 10_000;

/** Takes readings from another broker. One is acknowledged there when it is on disk here. */
export function createClient({ secrets, maxRetryMs, ...options }: ClientOptions, surroundings: Surroundings): Part {
  const { clock, random, log } = surroundings;
  const backoff = { firstMs: FIRST_RETRY_MS, maxMs: maxRetryMs };
  let loop: Loop | undefined;

  async function turn(signal: AbortSignal): Promise<number> {
    const beganMs = clock.monotonicMs();
    try {
      // The library is loaded by gateways that have another broker, and by no others.
      const { runSession } = await import('./client-session.js');
      await runSession({ ...options, ...secrets() }, surroundings, signal);
      return 0;
    } catch (error) {
      const lost = error instanceof WattwardenError && error.code === 'source.lost';
      if (!lost || clock.monotonicMs() - beganMs < LIVED_MS) throw error;
      log.warn({ code: error.code }, error.message);
      return backoffMs(1, backoff, random);
    }
  }

  return {
    name: 'source',
    async start() {
      // A broker that is away must not keep this gateway from starting: it is tried again for ever.
      const onFailure = () => surroundings.events.failed();
      loop = supervise({ name: 'source', backoff, turn, onFailure }, { clock, random, log });
    },
    async stop() {
      await loop?.stop();
    },
  };
}
