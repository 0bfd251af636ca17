import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  createPacketReader,
  number16,
  type RawPacket,
  type RawPublish,
  rawPacket,
  rawPublish,
  TYPE,
} from './packets.js';

export interface ScriptedBroker {
  readonly url: string;
  /** Everything that clients have sent, in order. */
  readonly heard: readonly RawPacket[];
  /** Connections so far. */
  readonly connections: number;
  publish(packet: RawPublish): void;
  pubrel(id: number): void;
  /** Ends the connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

interface Options {
  readonly version?: '3.1.1' | '5';
  /** Of the CONNACK; 0 accepts. */
  readonly connectCode?: number;
  /** For each filter of a SUBSCRIBE. */
  readonly granted?: number;
}

/** A broker that does what a test says, and accepts connections and subscriptions by itself. */
export async function openScriptedBroker(options: Options = {}): Promise<ScriptedBroker> {
  const { version = '3.1.1', connectCode = 0, granted = 1 } = options;
  const properties = version === '5' ? Buffer.from([0]) : Buffer.alloc(0);
  const heard: RawPacket[] = [];
  const sockets = new Set<Socket>();
  let current: Socket | undefined;
  let connections = 0;

  function answer(socket: Socket, packet: RawPacket): void {
    heard.push(packet);
    const id = packet.body.subarray(0, 2);
    if (packet.type === TYPE.connect) {
      socket.write(rawPacket(TYPE.connack, 0, Buffer.concat([Buffer.from([0, connectCode]), properties])));
    } else if (packet.type === TYPE.subscribe) {
      socket.write(rawPacket(TYPE.suback, 0, Buffer.concat([id, properties, Buffer.from([granted])])));
    } else if (packet.type === TYPE.pingreq) {
      socket.write(rawPacket(TYPE.pingresp, 0, Buffer.alloc(0)));
    } else if (packet.type === TYPE.publish && (packet.flags & 6) === 2) {
      const at = 2 + packet.body.readUInt16BE(0);
      socket.write(rawPacket(TYPE.puback, 0, packet.body.subarray(at, at + 2)));
    }
  }

  const server = createServer((socket) => {
    connections += 1;
    current = socket;
    sockets.add(socket);
    socket.on(
      'data',
      createPacketReader((packet) => answer(socket, packet)),
    );
    socket.on('error', () => undefined); // its close follows
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    get connections() {
      return connections;
    },
    publish: (packet) => void current?.write(rawPublish(packet, version === '5')),
    pubrel: (id) => void current?.write(rawPacket(TYPE.pubrel, 2, number16(id))),
    cut: () => void current?.destroy(),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
