import type { Aedes, Client, PublishPacket } from 'aedes';
import { createSubscriptionTree } from './subscription-tree.js';

type Deliver = (packet: object, done: () => void) => void;
interface Emitter {
  on(filter: string, deliver: Deliver, done?: () => void): unknown;
  removeListener(filter: string, deliver: Deliver, done?: () => void): unknown;
}
type Done = (error?: Error) => void;

/** What aedes has beyond its types. */
interface Inside {
  readonly mq: Emitter;
  publish(packet: PublishPacket, client: Client | Done, done?: Done): void;
}

export interface FanOut {
  /** Whether anybody gets what is published there, now or when it comes back. */
  isHeard(topic: string): boolean;
}

/**
 * aedes lets a publisher wait until every subscriber's socket has taken the message, and has a hundred messages under way
 * at most: one subscriber that does not read stops all publishers until its drain timeout. Here nobody waits for a
 * subscriber; what may pile up for it is bounded where it is forwarded. And what no one hears goes no further: on its way
 * to nobody aedes spends as much time on a reading as on taking it in.
 */
export function takeOverFanOut(broker: Aedes, isAwaited: (topic: string) => boolean): FanOut {
  const inside = broker as unknown as Inside;
  const emitter = inside.mq;
  const hurriedOf = new WeakMap<Deliver, Deliver>();
  const present = createSubscriptionTree();
  /** How many listeners each filter has. */
  const listeners = new Map<string, number>();
  const on = emitter.on.bind(emitter);
  const removeListener = emitter.removeListener.bind(emitter);

  function count(filter: string, change: 1 | -1): void {
    const left = (listeners.get(filter) ?? 0) + change;
    if (left > 0) {
      listeners.set(filter, left);
      present.add(filter, filter, 0);
    } else {
      listeners.delete(filter);
      present.remove(filter, filter);
    }
  }

  emitter.on = (filter, deliver, done) => {
    const hurried =
      hurriedOf.get(deliver) ??
      ((packet, delivered) => {
        deliver(packet, () => undefined);
        delivered();
      });
    hurriedOf.set(deliver, hurried);
    count(filter, 1);
    return on(filter, hurried, done);
  };
  emitter.removeListener = (filter, deliver, done) => {
    count(filter, -1);
    return removeListener(filter, hurriedOf.get(deliver) ?? deliver, done);
  };

  const isHeard = (topic: string): boolean => present.match(topic).size > 0 || isAwaited(topic);
  const publish = inside.publish.bind(broker);
  inside.publish = (packet, client, done) => {
    // What the broker itself says comes without a client.
    if (typeof client === 'function' || packet.retain || isHeard(packet.topic)) publish(packet, client, done);
    else done?.();
  };
  return { isHeard };
}
