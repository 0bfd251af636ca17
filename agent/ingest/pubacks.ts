import { Buffer } from 'node:buffer';
import type { Client } from 'aedes';

const PUBACK = 0x40;

/** Four bytes each, in every version of MQTT: version 5 leaves the reason out where it is success. */
export function pubackBytes(messageIds: readonly number[]): Buffer {
  const packets = Buffer.alloc(4 * messageIds.length);
  for (const [index, messageId] of messageIds.entries()) {
    packets.writeUInt8(PUBACK, 4 * index);
    packets.writeUInt8(2, 4 * index + 1);
    packets.writeUInt16BE(messageId, 4 * index + 2);
  }
  return packets;
}

/** PUBACKs of the embedded broker, those of one client in one write: aedes spends a write and a turn of the loop on each. */
export interface Pubacks {
  /** It leaves at the end of the present turn. False when its client cannot take it now. */
  add(client: Client, messageId: number): boolean;
  /** Before anybody else answers the client: MQTT wants PUBACKs in the order of the packets. */
  flush(client: Client): void;
}

export function createPubacks(): Pubacks {
  let due = new Map<Client, number[]>();

  function send(client: Client, messageIds: readonly number[]): void {
    if (!client.conn.destroyed) client.conn.write(pubackBytes(messageIds));
  }

  function sendAll(): void {
    const all = due;
    due = new Map();
    for (const [client, messageIds] of all) send(client, messageIds);
  }

  return {
    add(client, messageId) {
      if (!client.connected || client.conn.destroyed || client.conn.writableNeedDrain) return false;
      const waiting = due.get(client);
      if (waiting !== undefined) {
        waiting.push(messageId);
        return true;
      }
      if (due.size === 0) process.nextTick(sendAll);
      due.set(client, [messageId]);
      return true;
    },
    flush(client) {
      const messageIds = due.get(client);
      if (messageIds === undefined) return;
      due.delete(client);
      send(client, messageIds);
    },
  };
}
