/** MQTT 3.1.1 by hand, for what no library lets a test do: send DUP, leave out an acknowledgement, look at each byte. */

export const TYPE = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export interface RawPacket {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

export interface RawPublish {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly id?: number;
  readonly dup?: boolean;
  readonly retain?: boolean;
}

export function rawPacket(type: number, flags: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; length.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.from([(type << 4) | flags, ...length]), body]);
}

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([number16(bytes.length), bytes]);
};

export const number16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

export const rawConnect = (clientId: string): Buffer =>
  rawPacket(TYPE.connect, 0, Buffer.concat([text('MQTT'), Buffer.from([4, 0, 0, 0]), text(clientId)]));

/** `properties`: the empty ones that MQTT 5 wants. */
export function rawPublish({ topic, payload, qos, id = 0, dup, retain }: RawPublish, properties = false): Buffer {
  const flags = (dup === true ? 8 : 0) | (qos << 1) | (retain === true ? 1 : 0);
  const head = [text(topic), ...(qos === 0 ? [] : [number16(id)]), ...(properties ? [Buffer.from([0])] : [])];
  return rawPacket(TYPE.publish, flags, Buffer.concat([...head, Buffer.from(payload)]));
}

export const rawPubrel = (id: number): Buffer => rawPacket(TYPE.pubrel, 2, number16(id));

/** Cuts a stream of bytes into packets. */
export function createPacketReader(found: (packet: RawPacket) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      let length = 0;
      let at = 1;
      for (let scale = 1; ; scale *= 128, at += 1) {
        const byte = rest[at];
        if (byte === undefined) return;
        length += (byte & 127) * scale;
        if (byte < 128) break;
      }
      const end = at + 1 + length;
      if (rest.length < end) return;
      const first = rest[0] ?? 0;
      found({ type: first >> 4, flags: first & 15, body: Buffer.from(rest.subarray(at + 1, end)) });
      rest = rest.subarray(end);
    }
  };
}
