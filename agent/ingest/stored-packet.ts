/** What aedes hands to its persistence, as far as we look at it. */
export interface Packet {
  readonly cmd?: string;
  readonly topic?: string;
  readonly payload?: string | Uint8Array;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly brokerId?: string;
  readonly brokerCounter?: number;
  readonly messageId?: number;
}

/** A message as it is kept, for a session or as a retained one. */
export interface StoredPacket {
  readonly cmd: 'publish';
  readonly brokerId: string | undefined;
  readonly brokerCounter: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  messageId: number | undefined;
}

/** A copy: the payload that came is a slice of what the socket read, and would hold all of that in memory. */
export function storedPacket(packet: Packet): StoredPacket {
  const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : (packet.payload ?? Buffer.alloc(0));
  const payload = Buffer.allocUnsafeSlow(bytes.length);
  payload.set(bytes);
  return {
    cmd: 'publish',
    brokerId: packet.brokerId,
    brokerCounter: packet.brokerCounter ?? 0,
    topic: packet.topic ?? '',
    payload,
    qos: packet.qos ?? 0,
    retain: packet.retain ?? false,
    dup: false,
    messageId: undefined,
  };
}

/** The object, its fields and the places that point to it. */
const OVERHEAD_BYTES = 256;

export const weightOf = ({ topic, payload }: StoredPacket): number =>
  OVERHEAD_BYTES + 2 * topic.length + payload.length;
