import type { Clock } from '../domain/clock.js';
import type { MqttRefusal } from '../domain/refusal.js';

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly perSecond: number;
  readonly perSecondPerAddress: number;
}

export interface ConnectionGate {
  /** Counts the connection in; or why it is turned away. */
  enter(address: string): MqttRefusal | undefined;
  /** For each that has entered, once. */
  leave(address: string): void;
  readonly connections: number;
}

/** Meters that a power cut has thrown out come back together; so many seconds' worth may. */
const BURST_S = 10;
/** Addresses whose rate is remembered; an address that has been quiet long enough needs no memory. */
const MAX_ADDRESSES = 10_000;

export function createConnectionGate(limits: ConnectionLimits, clock: Clock): ConnectionGate {
  const open = new Map<string, number>();
  const all = createBucket(limits.perSecond, clock.monotonicMs());
  const buckets = new Map<string, Bucket>();
  let connections = 0;

  function bucketOf(address: string, nowMs: number): Bucket {
    const bucket = buckets.get(address) ?? createBucket(limits.perSecondPerAddress, nowMs);
    buckets.delete(address);
    buckets.set(address, bucket);
    // The one that was quiet for longest goes; by then it is full again, or nearly.
    const oldest = buckets.size > MAX_ADDRESSES ? buckets.keys().next().value : undefined;
    if (oldest !== undefined) buckets.delete(oldest);
    return bucket;
  }

  return {
    enter(address) {
      const nowMs = clock.monotonicMs();
      const already = open.get(address) ?? 0;
      if (connections >= limits.maxConnections) return 'connections';
      if (already >= limits.maxPerAddress) return 'connections_of_address';
      // An address beyond its own rate takes nothing from what all share.
      if (!bucketOf(address, nowMs).take(nowMs) || !all.take(nowMs)) return 'connection_rate';
      open.set(address, already + 1);
      connections += 1;
      return undefined;
    },
    leave(address) {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
      connections -= 1;
    },
    get connections() {
      return connections;
    },
  };
}

interface Bucket {
  take(nowMs: number): boolean;
}

function createBucket(perSecond: number, bornMs: number): Bucket {
  const most = perSecond * BURST_S;
  let tokens = most;
  let atMs = bornMs;
  return {
    take(nowMs) {
      tokens = Math.min(most, tokens + ((nowMs - atMs) / 1_000) * perSecond);
      atMs = nowMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
