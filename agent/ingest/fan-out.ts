import type { Aedes } from 'aedes';

type Deliver = (packet: object, done: () => void) => void;
interface Emitter {
  on(filter: string, deliver: Deliver, done?: () => void): unknown;
  removeListener(filter: string, deliver: Deliver, done?: () => void): unknown;
}

/**
 * aedes lets a publisher wait until every subscriber's socket has taken the message, and has a hundred messages under way
 * at most: one subscriber that does not read stops all publishers until its drain timeout. Here nobody waits for a
 * subscriber; what may pile up for it is bounded where it is forwarded.
 */
export function decoupleSubscribers(broker: Aedes): void {
  const emitter = (broker as unknown as { readonly mq: Emitter }).mq;
  const wrapped = new WeakMap<Deliver, Deliver>();
  const on = emitter.on.bind(emitter);
  const removeListener = emitter.removeListener.bind(emitter);
  emitter.on = (filter, deliver, done) => {
    const hurried =
      wrapped.get(deliver) ??
      ((packet, delivered) => {
        deliver(packet, () => undefined);
        delivered();
      });
    wrapped.set(deliver, hurried);
    return on(filter, hurried, done);
  };
  emitter.removeListener = (filter, deliver, done) => removeListener(filter, wrapped.get(deliver) ?? deliver, done);
}
