import type { Duplex } from 'node:stream';
import type { Clock } from '../domain/clock.js';
import type { MqttRefusal } from '../domain/refusal.js';
import { guardPackets, type PacketGuard } from './packet-guard.js';

export interface WatchLimits {
  readonly maxPacketBytes: number;
  readonly packetTimeoutMs: number;
  readonly maxSilenceMs: number;
}

export interface ConnectionWatch {
  add(stream: Duplex, refuse: (reason: MqttRefusal) => void): void;
  /** Closes those whose patience is over. */
  look(): void;
  destroyAll(): void;
}

interface Watched {
  readonly guard: PacketGuard;
  refuse(reason: MqttRefusal): void;
}

/** Connections that are open: one look at all of them now and then, instead of a timer for each. */
export function createConnectionWatch(limits: WatchLimits, clock: Clock): ConnectionWatch {
  const watched = new Map<Duplex, Watched>();
  const nowMs = (): number => clock.monotonicMs();

  function faultOf({ guard }: Watched): MqttRefusal | undefined {
    const { incompleteSinceMs, heardAtMs } = guard;
    if (incompleteSinceMs !== undefined && nowMs() - incompleteSinceMs > limits.packetTimeoutMs)
      return 'packet_too_slow';
    // A shorter keep-alive is aedes' business; this is for those who asked for none.
    return nowMs() - heardAtMs > limits.maxSilenceMs ? 'silent' : undefined;
  }

  return {
    add(stream, refuse) {
      const guard = guardPackets(stream, { maxBytes: limits.maxPacketBytes, nowMs, refuse });
      watched.set(stream, { guard, refuse });
      stream.once('close', () => watched.delete(stream));
    },
    look() {
      for (const [stream, one] of watched) {
        const fault = faultOf(one);
        if (fault === undefined) continue;
        one.refuse(fault);
        stream.destroy();
      }
    },
    destroyAll() {
      for (const stream of watched.keys()) stream.destroy();
    },
  };
}
