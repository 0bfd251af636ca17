import type { MqttRefusal } from '../domain/refusal.js';
import { type Packet, type StoredPacket, storedPacket, weightOf } from './stored-packet.js';
import { createPattern } from './topic-filter.js';

export interface RetainedLimits {
  readonly maxRetained: number;
  readonly maxRetainedBytes: number;
}

export interface RetainedStore {
  /** The last message of its topic; an empty one takes the topic away. */
  put(packet: Packet): void;
  matching(filters: readonly string[]): Iterable<StoredPacket>;
  readonly size: number;
}

export function createRetainedStore(limits: RetainedLimits, refuse: (reason: MqttRefusal) => void): RetainedStore {
  const byTopic = new Map<string, StoredPacket>();
  let bytes = 0;

  function remove(topic: string): void {
    const old = byTopic.get(topic);
    if (old === undefined) return;
    bytes -= weightOf(old);
    byTopic.delete(topic);
  }

  return {
    put(given) {
      const packet = storedPacket(given);
      // What stood there is outdated in any case, also when the new one finds no place.
      remove(packet.topic);
      if (packet.payload.length === 0) return;
      const weight = weightOf(packet);
      if (byTopic.size >= limits.maxRetained || bytes + weight > limits.maxRetainedBytes) {
        refuse('retained');
        return;
      }
      byTopic.set(packet.topic, packet);
      bytes += weight;
    },
    *matching(filters) {
      for (const filter of filters) {
        // Most subscriptions name one topic.
        if (!/[+#]/.test(filter)) {
          const packet = byTopic.get(filter);
          if (packet !== undefined) yield packet;
          continue;
        }
        const pattern = createPattern(filter);
        for (const packet of byTopic.values()) if (pattern.covers(packet.topic)) yield packet;
      }
    },
    get size() {
      return byTopic.size;
    },
  };
}
