import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connectPacket, createAnswerReader, createPublishWriter } from './packets.js';

export interface Connection {
  readonly underWay: number;
  /** Goes out with `send`. */
  add(topic: string, payload: string): void;
  send(): void;
  close(): void;
}

interface Options {
  readonly port: number;
  readonly name: string;
  onAck(waitedMs: number): void;
  onLost(): void;
}

const IDS = 65_536;

/** One meter or gateway that publishes with QoS 1. */
export async function openConnection({ port, name, onAck, onLost }: Options): Promise<Connection> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  const sentAtMs = new Float64Array(IDS);
  const writer = createPublishWriter();
  let id = 0;
  let underWay = 0;
  let nowMs = 0;

  await once(socket, 'connect');
  await new Promise<void>((resolve, reject) => {
    const read = createAnswerReader({
      connected: resolve,
      refused: () => reject(new Error(`${name} was refused`)),
      acknowledged(answered) {
        underWay -= 1;
        onAck(nowMs - (sentAtMs[answered] ?? 0));
      },
    });
    socket.on('data', (chunk) => {
      nowMs = performance.now();
      read(chunk);
    });
    socket.on('error', reject);
    socket.on('close', onLost);
    socket.write(connectPacket(name));
  });

  return {
    get underWay() {
      return underWay;
    },
    add(topic, payload) {
      id = (id % (IDS - 1)) + 1;
      sentAtMs[id] = performance.now();
      underWay += 1;
      writer.add(id, topic, payload);
    },
    send() {
      socket.write(writer.take());
    },
    close() {
      socket.off('close', onLost);
      socket.destroy();
    },
  };
}
