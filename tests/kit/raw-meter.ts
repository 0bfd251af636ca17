import { connect, type Socket } from 'node:net';
import { createPacketReader, type RawPacket, rawConnect, rawPublish, rawPubrel, TYPE } from './packets.js';
import { until } from './until.js';

interface Options {
  readonly name: string;
  readonly port: number;
  readonly qos: 1 | 2;
  readonly ownTime: boolean;
  /** Readings under way at most. Those without own time are recognised among a meter's last 32. */
  readonly inFlight?: number;
  /** Pause between two readings; as fast as they are acknowledged when not given. */
  readonly everyMs?: number;
}

export interface RawMeter {
  readonly name: string;
  /** Values that the broker has acknowledged; each is sent as a different power. */
  readonly acknowledged: readonly number[];
  /** Values that were made. */
  readonly made: number;
  /** Makes no more, and waits until all are acknowledged. */
  drain(): Promise<void>;
  close(): void;
}

const RETRY_MS = 20;

/**
 * A meter that never gives up: publishes value after value, and after a lost connection sends again, marked as a
 * repeat, what is not acknowledged.
 */
export function openRawMeter({ name, port, qos, ownTime, inFlight = 8, everyMs }: Options): RawMeter {
  const underWay = new Map<number, { readonly value: number; released: boolean }>();
  const acknowledged: number[] = [];
  const beganMs = Date.now() - 3_600_000;
  let made = 0;
  let making = true;
  let closed = false;
  let nextAtMs = 0;
  let ready = false;
  let socket: Socket | undefined;
  let retry: NodeJS.Timeout | undefined;

  const publish = (id: number, value: number, dup: boolean): Buffer => {
    const fields = { power_w: value / 10, ...(ownTime ? { ts: beganMs + value } : {}) };
    return rawPublish({ topic: `meters/${name}/reading`, payload: JSON.stringify(fields), qos, id, dup });
  };

  function fill(to: Socket): void {
    while (making && underWay.size < inFlight && (everyMs === undefined || performance.now() >= nextAtMs)) {
      nextAtMs = performance.now() + (everyMs ?? 0);
      made += 1;
      const id = (made % 65_535) + 1;
      underWay.set(id, { value: made, released: false });
      to.write(publish(id, made, false));
    }
  }

  function take(from: Socket, { type, body }: RawPacket): void {
    if (type === TYPE.connack) {
      for (const [id, { value, released }] of underWay) from.write(released ? rawPubrel(id) : publish(id, value, true));
      ready = true;
      fill(from);
      return;
    }
    const id = body.readUInt16BE(0);
    const entry = underWay.get(id);
    if (entry === undefined) return;
    if (type === TYPE.pubrec) {
      entry.released = true;
      from.write(rawPubrel(id));
    } else if (type === TYPE.puback || type === TYPE.pubcomp) {
      underWay.delete(id);
      acknowledged.push(entry.value);
      fill(from);
    }
  }

  function open(): void {
    const opened = connect(port, '127.0.0.1');
    socket = opened;
    opened.setNoDelay(true);
    opened.on(
      'data',
      createPacketReader((packet) => take(opened, packet)),
    );
    opened.on('error', () => undefined); // its close follows
    opened.on('connect', () => opened.write(rawConnect(name)));
    opened.on('close', () => {
      ready = false;
      if (!closed) retry = setTimeout(open, RETRY_MS);
    });
  }

  open();
  const pace = setInterval(() => socket !== undefined && ready && fill(socket), everyMs ?? 1_000);
  return {
    name,
    acknowledged,
    get made() {
      return made;
    },
    async drain() {
      making = false;
      await until(`${name} has all acknowledgements`, () => underWay.size === 0, { withinMs: 30_000 });
    },
    close() {
      closed = true;
      clearTimeout(retry);
      clearInterval(pace);
      socket?.destroy();
    },
  };
}
