const PUBLISH_QOS_1 = 0x32;
const PUBACK = 4;

/** By hand and into one block of bytes: the publishing process must not be what is measured. */
export function createPublishWriter() {
  let block = Buffer.allocUnsafe(65_536);
  let used = 0;

  return {
    add(id: number, topic: string, payload: string): void {
      const length = 4 + topic.length + payload.length;
      if (used + length + 5 > block.length) {
        const larger = Buffer.allocUnsafe(2 * block.length);
        block.copy(larger, 0, 0, used);
        block = larger;
      }
      block[used++] = PUBLISH_QOS_1;
      for (let rest = length; ; rest >>>= 7) {
        block[used++] = rest > 127 ? (rest & 127) | 128 : rest;
        if (rest <= 127) break;
      }
      used = block.writeUInt16BE(topic.length, used);
      used += block.write(topic, used, 'latin1');
      used = block.writeUInt16BE(id, used);
      used += block.write(payload, used, 'latin1');
    },
    /** What was added since the last time; the bytes are the caller's. */
    take(): Buffer {
      const taken = block.subarray(0, used);
      block = Buffer.allocUnsafe(block.length);
      used = 0;
      return taken;
    },
  };
}

/** Calls `acknowledged` for each PUBACK, and `connected` for a CONNACK that accepts. */
export function createAnswerReader(on: { connected(): void; acknowledged(id: number): void; refused(): void }) {
  let rest = Buffer.alloc(0);
  return (chunk: Buffer): void => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    // CONNACK and PUBACK have four bytes each; a broker sends a publisher nothing else.
    for (; at + 4 <= bytes.length; at += 4) {
      if ((bytes[at] ?? 0) >> 4 === PUBACK) on.acknowledged(bytes.readUInt16BE(at + 2));
      else if (bytes[at] === 0x20 && bytes[at + 3] === 0) on.connected();
      else on.refused();
    }
    rest = Buffer.from(bytes.subarray(at));
  };
}

export function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  // MQTT 3.1.1, a clean session, a keep-alive of ten minutes.
  const head = Buffer.from([0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0x02, 0x58, 0, id.length]);
  return Buffer.concat([head, id]);
}
