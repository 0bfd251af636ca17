import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import type { Clock } from '../domain/clock.js';
import { messageOf } from '../domain/errors.js';
import { listenError, type Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import { createGroupCommit, type GroupCommit } from './group-commit.js';
import type { Sink } from './publication.js';

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** Publications that may wait for one commit. */
  readonly maxPending: number;
}

export interface BrokerEvents {
  connectionRefused(): void;
}

export interface Ingest extends Part {
  readonly connections: number;
  /** Known once started. */
  readonly address: string;
  /** To whoever has subscribed; while it does not listen, to nobody. */
  publish(topic: string, payload: string, options: { readonly retain: boolean }): void;
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: BrokerEvents;
  /** Shared with whatever else takes readings in; one of its own when not given. */
  readonly commits?: GroupCommit;
}

/** The embedded MQTT broker. A reading is acknowledged after `accept` has returned, and never before. */
export function createBroker(options: BrokerOptions, sink: Sink, surroundings: Surroundings): Ingest {
  const { clock, log, events } = surroundings;
  const commits =
    surroundings.commits ?? createGroupCommit(sink.accept, { maxPending: options.maxPending, windowMs: 0 });
  const sockets = new Set<Socket>();
  let aedes: Aedes | undefined;
  let server: Server | undefined;
  let address = '';

  function handle(broker: Aedes, socket: Socket): void {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    broker.handle(socket);
  }

  return {
    name: 'ingest',
    get connections() {
      return aedes?.connectedClients ?? 0;
    },
    get address() {
      return address;
    },
    publish(topic, payload, { retain }) {
      if (aedes === undefined || aedes.closed) return;
      aedes.publish({ cmd: 'publish', topic, payload, retain, qos: 0, dup: false }, (error) => {
        if (error) log.warn({ topic }, `not published: ${error.message}`);
      });
    },
    async start() {
      const broker = await Aedes.createBroker({ authorizePublish: commitBeforePuback(commits, sink, clock) });
      aedes = broker;
      broker.on('clientError', (client, error) => log.debug({ client: client.id }, messageOf(error)));
      broker.on('connectionError', (_client, error) => log.debug({}, messageOf(error)));
      server = createServer((socket) => handle(broker, socket));
      server.maxConnections = options.maxConnections;
      server.on('drop', () => events.connectionRefused());
      await listen(server, options);
      const bound = server.address() as AddressInfo;
      address = `${bound.address}:${bound.port}`;
      log.info({ address }, 'listening for meters');
    },
    async stop() {
      const broker = aedes;
      const closed = server === undefined ? Promise.resolve() : closeServer(server);
      commits.flush();
      if (broker !== undefined && !broker.closed) await new Promise<void>((resolve) => broker.close(resolve));
      // aedes does not know sockets that have not sent their CONNECT.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/**
 * aedes sends the PUBACK before any `publish` listener sees the packet; of its hooks only this one runs earlier.
 * Answering with an error closes the connection without a PUBACK, so that the client sends again.
 */
function commitBeforePuback(commits: GroupCommit, { isReading }: Sink, clock: Clock) {
  return (client: Client | null, packet: PublishPacket, answer: (error?: Error | null) => void): void => {
    const refusal = refusalOf(client, packet, isReading);
    if (refusal !== undefined || !isReading(packet.topic)) {
      answer(refusal ?? null);
      return;
    }
    // A meter that asks to retain means "latest", and would have its reading replayed to every subscriber for ever.
    packet.retain = false;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    commits.add({ topic: packet.topic, payload, repeated: packet.dup === true, receivedAtMs: clock.now() }, (error) =>
      answer(error ?? null),
    );
  };
}

function refusalOf(client: Client | null, packet: PublishPacket, isReading: Sink['isReading']): Error | undefined {
  if (packet.topic.startsWith('$SYS/')) return new Error('$SYS topics are reserved');
  if (isReading(packet.topic) && isWill(client, packet)) return new Error('a will is not a reading');
  return undefined;
}

/** A last will reaches the same hook, sometimes without its client; only what the parser made has `cmd` and no broker's mark. */
const isWill = (client: Client | null, packet: PublishPacket): boolean =>
  client === null || 'brokerId' in packet || !('cmd' in packet);

function listen(server: Server, { host, port }: BrokerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, `mqtt.host:mqtt.port ${host}:${port}`)));
    server.listen({ host, port }, () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
