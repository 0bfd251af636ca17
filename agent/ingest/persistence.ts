import { Readable } from 'node:stream';
import type { RetainedStore } from './retained-store.js';
import type { SessionStore } from './session-store.js';
import type { Packet } from './stored-packet.js';

interface ClientName {
  readonly id: string;
}
interface Subscriber {
  readonly clientId: string;
}
type Will = Packet & { brokerId?: string; clientId?: string };

/**
 * What aedes asks of a persistence, answered from our bounded stores. Its own memory store has no bounds, and enqueues for
 * subscriptions that were refused when one of the same SUBSCRIBE was granted.
 */
export function createPersistence(sessions: SessionStore, retained: RetainedStore) {
  const wills = new Map<string, Will>();
  let brokerId = '';
  return {
    async setup(broker: { readonly id: string }) {
      brokerId = broker.id;
    },
    async storeRetained(packet: Packet) {
      retained.put(packet);
    },
    createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(retained.matching(filters)),

    // Granted ones are entered where they are granted (subscribe-gate.ts): here aedes passes the refused ones too.
    async addSubscriptions() {},
    async removeSubscriptions({ id }: ClientName, filters: readonly string[]) {
      sessions.unsubscribe(id, filters);
    },
    async subscriptionsByClient({ id }: ClientName) {
      return sessions.subscriptions(id);
    },
    async subscriptionsByTopic(topic: string) {
      return [...sessions.subscribers(topic)].map(([clientId, qos]) => ({ clientId, topic, qos }));
    },
    // Asked when a client begins anew: nothing of the session before is left.
    async cleanSubscriptions({ id }: ClientName) {
      sessions.drop(id);
    },

    async outgoingEnqueue({ clientId }: Subscriber, packet: Packet) {
      sessions.enqueue([clientId], packet);
    },
    async outgoingEnqueueCombi(subscribers: readonly Subscriber[], packet: Packet) {
      sessions.enqueue(
        subscribers.map(({ clientId }) => clientId),
        packet,
      );
    },
    // A message that found no place in the queue is sent all the same, and not kept.
    async outgoingUpdate({ id }: ClientName, packet: Packet) {
      sessions.update(id, packet);
    },
    async outgoingClearMessageId({ id }: ClientName, { messageId }: Packet) {
      return sessions.settle(id, messageId);
    },
    outgoingStream: ({ id }: ClientName) => Readable.from(sessions.queued(id)),

    async incomingStorePacket({ id, clean }: ClientName & { readonly clean: boolean }, { messageId = 0 }: Packet) {
      if (!sessions.receive(id, messageId, !clean)) throw new Error('too many QoS 2 packets wait for their PUBREL');
    },
    async incomingGetPacket({ id }: ClientName, { messageId = 0 }: Packet) {
      if (!sessions.isReceived(id, messageId)) throw new Error('no such packet');
      return { messageId };
    },
    async incomingDelPacket({ id }: ClientName, { messageId = 0 }: Packet) {
      if (!sessions.release(id, messageId)) throw new Error('no such packet');
    },
    async cleanIncoming({ id }: ClientName) {
      sessions.releaseAll(id);
    },

    async putWill({ id }: ClientName, will: Will) {
      will.brokerId = brokerId;
      will.clientId = id;
      wills.set(id, will);
    },
    async delWill({ id }: ClientName) {
      const will = wills.get(id);
      wills.delete(id);
      return will;
    },
    // For the wills of other brokers that have died. Alone, aedes would take a step of the clock for its own death and
    // publish the wills of clients that are there.
    streamWill: () => Readable.from([]),
  };
}
