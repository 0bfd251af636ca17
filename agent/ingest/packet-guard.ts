import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { MqttRefusal } from '../domain/refusal.js';

export interface PacketGuard {
  /** When the packet that is not complete yet began; undefined between packets. */
  readonly incompleteSinceMs: number | undefined;
  /** When bytes came last. */
  readonly heardAtMs: number;
}

/** Bytes of the remaining length at most (MQTT 3.1.1, 2.2.3). */
const MAX_LENGTH_BYTES = 4;

/**
 * Reads the lengths in the fixed headers as the bytes pass by. The parser behind it gathers whatever a header announces,
 * up to 256 MB; here the connection ends as soon as the header is seen. It stands in the way of `read` because aedes
 * takes its bytes there: a stream in between would cost as much as the parser.
 */
export function guardPackets(
  stream: Duplex,
  { maxBytes, nowMs, refuse }: { maxBytes: number; nowMs(): number; refuse(reason: MqttRefusal): void },
): PacketGuard {
  let state: 'type' | 'length' | 'body' = 'type';
  let left = 0;
  let shift = 0;
  let sinceMs: number | undefined;
  let heardAtMs = nowMs();

  /** Whether all of it may pass. */
  function inspect(bytes: Buffer): MqttRefusal | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (state === 'body') {
        const taken = Math.min(left, bytes.length - at);
        at += taken;
        left -= taken;
      } else if (state === 'type') {
        at += 1;
        state = 'length';
        left = 0;
        shift = 0;
        continue;
      } else {
        const byte = bytes[at] ?? 0;
        at += 1;
        left += (byte & 0x7f) << shift;
        shift += 7;
        if (left > maxBytes) return 'packet_too_large';
        if ((byte & 0x80) !== 0) {
          if (shift >= 7 * MAX_LENGTH_BYTES) return 'protocol';
          continue;
        }
        state = 'body';
      }
      if (state === 'body' && left === 0) {
        state = 'type';
        sinceMs = undefined;
      }
    }
    // Counted from the first byte of the packet that is incomplete now, not from the last byte that came.
    if (state !== 'type') sinceMs ??= heardAtMs;
    return undefined;
  }

  const read = stream.read.bind(stream);
  stream.read = (size?: number) => {
    const bytes: unknown = read(size);
    if (!Buffer.isBuffer(bytes)) return bytes;
    heardAtMs = nowMs();
    const fault = inspect(bytes);
    if (fault === undefined) return bytes;
    refuse(fault);
    stream.destroy();
    return null;
  };
  return {
    get incompleteSinceMs() {
      return sinceMs;
    },
    get heardAtMs() {
      return heardAtMs;
    },
  };
}
