import type { Clock, Random } from '../domain/clock.js';
import { growUnderLoad } from '../domain/heap-growth.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import { type BrokerEvents, type BrokerFigures, type BrokerOptions, createBroker } from './broker.js';
import { type ClientEvents, type ClientOptions, createClient } from './client.js';
import { createGroupCommit } from './group-commit.js';
import type { Accept, Sink } from './publication.js';
import { createTap } from './tap.js';

export interface IngestOptions {
  /** Undefined: no embedded broker. */
  readonly broker: BrokerOptions | undefined;
  /** Undefined: no other broker. */
  readonly source: ClientOptions | undefined;
  readonly maxPending: number;
  /** Longest wait of a commit for more; see group-commit.ts. */
  commitWindowMs(): number;
}

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: BrokerEvents & { readonly source: ClientEvents };
}

export interface Ingest extends Part {
  /** Clients of the embedded broker. */
  readonly connections: number;
  /** Of the embedded broker, once started; empty without one. */
  readonly address: string;
  /** Undefined without an embedded broker. */
  readonly figures: BrokerFigures | undefined;
  /** Takes in no more, for want of room; who waits too long is sent away to try again. */
  hold(): void;
  release(): void;
  /** Publishes in the gateway's own name, retained; for whoever listens to the embedded broker. */
  announce(topic: string, text: string): Promise<void>;
}

/** The embedded broker, the client of another one, or both; one group commit for all that comes in. */
export function createIngest(options: IngestOptions, sink: Sink, surroundings: Surroundings): Ingest {
  const { maxPending } = options;
  const accept: Accept = (batch) => {
    growUnderLoad(batch.length);
    sink.accept(batch);
  };
  const grouped = createGroupCommit(accept, { maxPending, windowMs: () => options.commitWindowMs() });
  const commits = createTap(grouped, { maxWaiting: maxPending });
  const broker = options.broker && createBroker(options.broker, sink, { ...surroundings, commits });
  const source =
    options.source &&
    createClient(options.source, {
      ...surroundings,
      commits,
      isReading: sink.isReading,
      events: surroundings.events.source,
    });
  const parts = [broker, source].filter((part) => part !== undefined);

  return {
    name: 'ingest',
    get connections() {
      return broker?.connections ?? 0;
    },
    get address() {
      return broker?.address ?? '';
    },
    get figures() {
      return broker?.figures;
    },
    hold: commits.hold,
    release: commits.release,
    async announce(topic, text) {
      await broker?.announce(topic, text);
    },
    async start() {
      for (const part of parts) await part.start();
    },
    async stop(hurry) {
      // Both at once: neither may use up the time of the other.
      const outcomes = await Promise.allSettled(parts.map((part) => part.stop(hurry)));
      commits.flush();
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
  };
}
