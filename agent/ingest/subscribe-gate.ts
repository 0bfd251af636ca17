import type { Client } from 'aedes';
import type { MqttRefusal } from '../domain/refusal.js';
import type { Rights } from './access.js';
import type { TopicLimits } from './publish-gate.js';
import type { SessionStore } from './session-store.js';
import { isFilter, levelsOf } from './topic-filter.js';

interface Wanted {
  readonly topic: string;
  readonly qos: number;
}

interface Surroundings {
  readonly sessions: SessionStore;
  readonly limits: TopicLimits & { readonly maxSubscriptions: number };
  rightsOf(client: Client): Rights | undefined;
  refuse(reason: MqttRefusal, client: Client, detail: string): void;
}

export interface SubscribeGate {
  /** Whether it is granted; the others of the same SUBSCRIBE stand for themselves. */
  grant(client: Client, wanted: Wanted): boolean;
  forget(client: Client, filters: readonly string[]): void;
}

export function createSubscribeGate({ sessions, limits, rightsOf, refuse }: Surroundings): SubscribeGate {
  const granted = new WeakMap<Client, Set<string>>();

  function refusalOf(client: Client, filter: string, have: ReadonlySet<string>): MqttRefusal | undefined {
    const tooLong = Buffer.byteLength(filter) > limits.maxTopicBytes || levelsOf(filter) > limits.maxTopicLevels;
    if (tooLong || !isFilter(filter)) return 'topic';
    if (rightsOf(client)?.mayRead(filter) !== true) return 'subscribe_not_allowed';
    return !have.has(filter) && have.size >= limits.maxSubscriptions ? 'subscriptions' : undefined;
  }

  return {
    grant(client, { topic: filter, qos }) {
      const have = granted.get(client) ?? new Set();
      granted.set(client, have);
      const refusal = refusalOf(client, filter, have);
      if (refusal !== undefined) {
        refuse(refusal, client, filter);
        return false;
      }
      have.add(filter);
      if (!client.clean) sessions.subscribe(client.id, filter, qos);
      return true;
    },
    forget(client, filters) {
      const have = granted.get(client);
      for (const filter of filters) have?.delete(filter);
    },
  };
}
