import type { Clock } from '../domain/clock.js';
import type { MqttRefusal } from '../domain/refusal.js';
import { type Packet, type StoredPacket, storedPacket, weightOf } from './stored-packet.js';
import { createSubscriptionTree } from './subscription-tree.js';

export interface SessionLimits {
  /** Of clients that are not connected. */
  readonly maxSessions: number;
  readonly expiryMs: number;
  readonly maxQueuedMessages: number;
  /** Of all sessions together. */
  readonly maxQueuedBytes: number;
  readonly maxInflight: number;
}

/** What stays of a client between its connections. */
interface Session {
  /** The user whose client began it; nobody else may take it up. */
  owner: string | null;
  readonly subscriptions: Map<string, number>;
  /** By the broker's number, in the order in which they came. */
  readonly queue: Map<number, Queued>;
  /** Ids of QoS 2 packets that came and were not released yet. */
  readonly incoming: Set<number>;
}

/** A message, or the PUBREL that has taken its place. */
type Queued = { packet: StoredPacket | Packet; readonly weight: number };

export interface SessionStore {
  /** From its CONNECT on it counts as present. */
  enter(client: string, owner: string | null): void;
  leave(client: string): void;
  ownerOf(client: string): string | null | undefined;
  drop(client: string): void;
  subscribe(client: string, filter: string, qos: number): void;
  unsubscribe(client: string, filters: readonly string[]): void;
  subscriptions(client: string): readonly { readonly topic: string; readonly qos: number }[];
  subscribers(topic: string): ReadonlyMap<string, number>;
  enqueue(clients: readonly string[], packet: Packet): void;
  /** Gives a queued message its id, or puts a PUBREL in its place. */
  update(client: string, packet: Packet): void;
  /** Takes a message out; undefined when there is none of that id. */
  settle(client: string, messageId: number | undefined): StoredPacket | Packet | undefined;
  queued(client: string): readonly (StoredPacket | Packet)[];
  /** False when too many wait for their release. Of a client that has just gone it is kept only if it may come back. */
  receive(client: string, messageId: number, mayReturn: boolean): boolean;
  isReceived(client: string, messageId: number): boolean;
  release(client: string, messageId: number): boolean;
  releaseAll(client: string): void;
  /** Drops what has expired. */
  expire(): void;
  readonly figures: { readonly absent: number; readonly queuedBytes: number };
}

/** In memory: what a subscriber has not fetched when the gateway ends is gone. Readings are not, they are in the log. */
export function createSessionStore(
  limits: SessionLimits,
  clock: Clock,
  refuse: (reason: MqttRefusal) => void,
): SessionStore {
  const sessions = new Map<string, Session>();
  /** Since when they are absent, longest first. */
  const absent = new Map<string, number>();
  const tree = createSubscriptionTree();
  let queuedBytes = 0;

  function sessionOf(client: string): Session {
    const found = sessions.get(client);
    if (found !== undefined) return found;
    const made = { owner: null, subscriptions: new Map(), queue: new Map(), incoming: new Set<number>() };
    sessions.set(client, made);
    return made;
  }

  function dequeue(session: Session, key: number): void {
    queuedBytes -= session.queue.get(key)?.weight ?? 0;
    session.queue.delete(key);
  }

  function drop(client: string): void {
    const session = sessions.get(client);
    absent.delete(client);
    if (session === undefined) return;
    for (const filter of session.subscriptions.keys()) tree.remove(filter, client);
    for (const key of [...session.queue.keys()]) dequeue(session, key);
    sessions.delete(client);
  }

  function keyOf(session: Session, messageId: number): number | undefined {
    // Answers come in the order of the messages, so that the first is nearly always the one.
    for (const [key, { packet }] of session.queue) if (packet.messageId === messageId) return key;
    return undefined;
  }

  function enqueueOne(client: string, packet: StoredPacket): void {
    const session = sessions.get(client);
    if (session === undefined) return;
    const weight = weightOf(packet);
    if (session.queue.size >= limits.maxQueuedMessages || queuedBytes + weight > limits.maxQueuedBytes) {
      refuse('queued');
      return;
    }
    // The payload is shared by all sessions; counted for each it errs on the safe side.
    session.queue.set(packet.brokerCounter, { packet: { ...packet }, weight });
    queuedBytes += weight;
  }

  return {
    enter(client, owner) {
      absent.delete(client);
      sessionOf(client).owner = owner;
    },
    leave(client) {
      const session = sessions.get(client);
      if (session === undefined) return;
      if (session.subscriptions.size + session.queue.size + session.incoming.size === 0) {
        drop(client);
        return;
      }
      absent.delete(client);
      absent.set(client, clock.monotonicMs());
      if (absent.size <= limits.maxSessions) return;
      const [longestGone] = absent.keys();
      if (longestGone === undefined) return;
      drop(longestGone);
      refuse('sessions');
    },
    ownerOf: (client) => sessions.get(client)?.owner,
    drop,
    subscribe(client, filter, qos) {
      sessionOf(client).subscriptions.set(filter, qos);
      // QoS 0 is for who is there.
      if (qos > 0) tree.add(filter, client, qos);
      else tree.remove(filter, client);
    },
    unsubscribe(client, filters) {
      for (const filter of filters) {
        if (sessions.get(client)?.subscriptions.delete(filter) === true) tree.remove(filter, client);
      }
    },
    subscriptions: (client) => [...(sessions.get(client)?.subscriptions ?? [])].map(([topic, qos]) => ({ topic, qos })),
    subscribers: (topic) => tree.match(topic),
    enqueue(clients, packet) {
      if (clients.length === 0) return;
      const stored = storedPacket(packet);
      for (const client of clients) enqueueOne(client, stored);
    },
    update(client, packet) {
      const session = sessions.get(client);
      if (session === undefined) return;
      const byCounter = packet.brokerCounter === undefined ? undefined : session.queue.get(packet.brokerCounter);
      if (byCounter !== undefined) {
        if (packet.messageId !== undefined) byCounter.packet = { ...byCounter.packet, messageId: packet.messageId };
        return;
      }
      const key = packet.messageId === undefined ? undefined : keyOf(session, packet.messageId);
      const replaced = key === undefined ? undefined : session.queue.get(key);
      if (replaced !== undefined && packet.cmd === 'pubrel') replaced.packet = packet;
    },
    settle(client, messageId) {
      const session = sessions.get(client);
      if (session === undefined || messageId === undefined) return undefined;
      const key = keyOf(session, messageId);
      if (key === undefined) return undefined;
      const found = session.queue.get(key)?.packet;
      dequeue(session, key);
      return found;
    },
    queued: (client) => [...(sessions.get(client)?.queue.values() ?? [])].map(({ packet }) => packet),
    receive(client, messageId, mayReturn) {
      if (!sessions.has(client)) {
        if (!mayReturn) return true;
        absent.set(client, clock.monotonicMs());
      }
      const { incoming } = sessionOf(client);
      if (!incoming.has(messageId) && incoming.size >= limits.maxInflight) return false;
      incoming.add(messageId);
      return true;
    },
    isReceived: (client, messageId) => sessions.get(client)?.incoming.has(messageId) ?? false,
    release: (client, messageId) => sessions.get(client)?.incoming.delete(messageId) ?? false,
    releaseAll: (client) => sessions.get(client)?.incoming.clear(),
    expire() {
      const oldestMs = clock.monotonicMs() - limits.expiryMs;
      for (const [client, sinceMs] of absent) {
        if (sinceMs > oldestMs) return;
        drop(client);
      }
    },
    get figures() {
      return { absent: absent.size, queuedBytes };
    },
  };
}
