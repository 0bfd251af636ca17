import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { Aedes, type Client } from 'aedes';
import type { Clock } from '../domain/clock.js';
import { invariant } from '../domain/errors.js';
import type { Part } from '../domain/lifecycle.js';
import type { Logger } from '../domain/log.js';
import type { MqttRefusal } from '../domain/refusal.js';
import type { AdmissionRules } from './admission.js';
import { type CertificateFiles, type Certificates, openCertificates } from './certificates.js';
import { createClientBook } from './client-book.js';
import { type ConnectionLimits, createConnectionGate } from './connection-gate.js';
import { createConnectionWatch, type WatchLimits } from './connection-watch.js';
import type { CredentialLimits } from './credentials.js';
import { type FanOut, takeOverFanOut } from './fan-out.js';
import { createGroupCommit, type GroupCommit } from './group-commit.js';
import { type Listener, type ListenerOptions, openListener } from './listeners.js';
import { refusalOf } from './mishaps.js';
import type { Origin } from './origin.js';
import { makePacketsLean } from './packet-library.js';
import { createPersistence } from './persistence.js';
import type { Sink } from './publication.js';
import { createPublishGate, type TopicLimits } from './publish-gate.js';
import { createRefusals } from './refusals.js';
import { createRetainedStore, type RetainedLimits } from './retained-store.js';
import { createSessionStore, type SessionLimits } from './session-store.js';
import { createSubscribeGate } from './subscribe-gate.js';
import { openUserBook, type ReadSecret, type UserBook } from './user-book.js';

export interface BrokerLimits
  extends ConnectionLimits,
    WatchLimits,
    TopicLimits,
    CredentialLimits,
    RetainedLimits,
    SessionLimits {
  readonly maxClientIdBytes: number;
  readonly maxSubscriptions: number;
  readonly maxOutgoingBytes: number;
  readonly connectTimeoutMs: number;
  readonly drainTimeoutMs: number;
}

export type ListenerPlace = Pick<
  ListenerOptions,
  'kind' | 'host' | 'port' | 'clientCertificates' | 'allowedOrigins'
> & {
  readonly encrypted: boolean;
};

export interface BrokerOptions extends AdmissionRules {
  readonly listeners: readonly ListenerPlace[];
  readonly certificateFiles: CertificateFiles | undefined;
  readonly usersFile: string | undefined;
  readonly readSecret: ReadSecret;
  /** Where the broker says, retained, whether it is there. */
  readonly statusTopic: string;
  /** Publications that may wait for one commit. */
  readonly maxPending: number;
  readonly limits: BrokerLimits;
}

export interface BrokerEvents {
  refused(reason: MqttRefusal): void;
  /** A file that changed was read again, or could not be used. */
  reloaded(what: 'certificate' | 'users', fine: boolean): void;
}

export interface BrokerFigures {
  readonly connections: number;
  readonly absentSessions: number;
  readonly queuedBytes: number;
  readonly retained: number;
  /** Null without TLS. */
  readonly certificateValidUntilMs: number | null;
}

export interface Broker extends Part {
  readonly connections: number;
  /** Of the first listener; known once started. */
  readonly address: string;
  /** Of each kind of listener that is open. */
  readonly addresses: Readonly<Partial<Record<Listener['kind'], string>>>;
  readonly figures: BrokerFigures;
  /** Publishes in the gateway's own name, retained. */
  announce(topic: string, text: string): Promise<void>;
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: BrokerEvents;
  /** Shared with whatever else takes readings in; one of its own when not given. */
  readonly commits?: GroupCommit;
}

const LOOK_EVERY_MS = 1_000;
/** How long a last word may take to leave for the slowest subscriber. */
const FAREWELL_MS = 500;

/** The embedded MQTT broker. A reading is acknowledged after `accept` has returned, and never before. */
export function createBroker(options: BrokerOptions, sink: Sink, surroundings: Surroundings): Broker {
  const { clock, log, events } = surroundings;
  const { limits } = options;
  const refusals = createRefusals(events.refused, clock, log);
  const refuse = (reason: MqttRefusal): void => refusals.add(reason, 'broker');
  const commits =
    surroundings.commits ?? createGroupCommit(sink.accept, { maxPending: options.maxPending, windowMs: () => 0 });
  const sessions = createSessionStore(limits, clock, refuse);
  const retained = createRetainedStore(limits, refuse);
  const gate = createConnectionGate(limits, clock);
  const watch = createConnectionWatch(limits, clock);
  const clients = createClientBook({ options, limits, sessions, refusals, clock });
  const { rightsOf } = clients;
  const refuseClient = (reason: MqttRefusal, client: Client | null, detail: string): void =>
    refusals.add(reason, client === null ? 'broker' : clients.nameOf(client), detail);
  const shared = { sessions, limits, rightsOf, refuse: refuseClient };
  const authorizePublish = createPublishGate({
    ...shared,
    commits,
    sink,
    clock,
    isHeard: (topic) => fanOut?.isHeard(topic) ?? true,
  });
  const subscribing = createSubscribeGate(shared);

  const listeners: Listener[] = [];
  const sockets = new Set<Socket>();
  let aedes: Aedes | undefined;
  let fanOut: FanOut | undefined;
  let certificates: Certificates | undefined;
  let book: UserBook | undefined;
  let timer: NodeJS.Timeout | undefined;

  function onSocket(socket: Socket): boolean {
    const address = socket.remoteAddress;
    const refusal = address === undefined ? 'protocol' : gate.enter(address);
    if (address === undefined || refusal !== undefined) {
      if (refusal !== undefined && address !== undefined) refusals.add(refusal, address);
      socket.on('error', () => undefined); // counted above, whatever becomes of it
      socket.destroy();
      return false;
    }
    sockets.add(socket);
    socket.setKeepAlive(true, limits.maxSilenceMs);
    socket.once('close', () => {
      sockets.delete(socket);
      gate.leave(address);
    });
    return true;
  }

  function onConnection(stream: Duplex, origin: Origin): void {
    invariant(aedes !== undefined, 'a listener is open only while the broker is');
    watch.add(stream, (reason) => refusals.add(reason, origin.address));
    clients.expect(aedes.handle(stream), origin);
  }

  /** What piles up for a subscriber that does not read is bounded here, before more is added. */
  function keepsUp(client: Client): boolean {
    const { conn } = client;
    if (conn.destroyed || conn.writableLength <= limits.maxOutgoingBytes) return !conn.destroyed;
    refuseClient('slow_subscriber', client, `${conn.writableLength} bytes wait`);
    conn.destroy();
    return false;
  }

  function listenToBroker(broker: Aedes): void {
    broker.on('client', (client) => {
      if (!clients.enter(client)) client.close();
    });
    broker.on('clientDisconnect', (client) => clients.leave(client));
    broker.on('unsubscribe', (filters, client) => subscribing.forget(client, filters));
    const onMishap = (client: Client, error: Error): void => {
      log.debug({ party: clients.nameOf(client) }, error.message);
      const reason = refusalOf(error);
      if (reason !== undefined) refuseClient(reason, client, error.message);
    };
    broker.on('clientError', onMishap);
    broker.on('connectionError', onMishap);
  }

  function openFiles(): void {
    const { certificateFiles, usersFile, readSecret } = options;
    if (certificateFiles !== undefined) {
      const onReload = (fine: boolean): void => events.reloaded('certificate', fine);
      certificates = openCertificates(certificateFiles, { readSecret, log, onReload });
    }
    if (usersFile !== undefined) {
      const onReload = (fine: boolean): void => {
        events.reloaded('users', fine);
        if (fine && book !== undefined) clients.recheck(book.users);
      };
      book = openUserBook(usersFile, { readSecret, log, onReload });
    }
  }

  async function openListeners(): Promise<void> {
    const onEvents = {
      onSocket,
      onConnection,
      refuse: (reason: MqttRefusal, address: string, detail?: string) => refusals.add(reason, address, detail),
    };
    for (const { encrypted, ...place } of options.listeners) {
      const { maxPacketBytes, connectTimeoutMs: handshakeMs } = limits;
      const own = { ...place, maxPacketBytes, handshakeMs, certificates: encrypted ? certificates : undefined };
      const listener = await openListener(own, onEvents);
      listeners.push(listener);
      log.info({ kind: listener.kind, address: listener.address, encrypted }, 'listening for meters');
    }
  }

  async function announce(topic: string, text: string): Promise<void> {
    const broker = aedes;
    if (broker === undefined || broker.closed) return;
    const packet = { cmd: 'publish', topic, payload: Buffer.from(text), qos: 1, retain: true, dup: false } as const;
    await new Promise<void>((resolve) => broker.publish(packet, () => resolve()));
  }

  const status = (state: 'online' | 'offline'): Promise<void> =>
    announce(options.statusTopic, JSON.stringify({ state, since_ms: clock.now() }));

  /** The last word is on its way to everybody who reads. */
  async function farewell(hurry: AbortSignal): Promise<void> {
    await status('offline');
    const untilMs = clock.monotonicMs() + FAREWELL_MS;
    await turnOfTheLoop();
    await turnOfTheLoop();
    const waiting = (): boolean => [...sockets].some(({ writableLength }) => writableLength > 0);
    while (waiting() && clock.monotonicMs() < untilMs && !hurry.aborted) await clock.sleep(5, hurry);
  }

  return {
    name: 'ingest',
    get connections() {
      return aedes?.connectedClients ?? 0;
    },
    get address() {
      return listeners[0]?.address ?? '';
    },
    get addresses() {
      return Object.fromEntries(listeners.map(({ kind, address }) => [kind, address]));
    },
    get figures() {
      return {
        connections: gate.connections,
        absentSessions: sessions.figures.absent,
        queuedBytes: sessions.figures.queuedBytes,
        retained: retained.size,
        certificateValidUntilMs: certificates?.validUntilMs ?? null,
      };
    },
    announce,
    async start() {
      openFiles();
      makePacketsLean();
      aedes = await Aedes.createBroker({
        persistence: createPersistence(sessions, retained),
        connectTimeout: limits.connectTimeoutMs,
        drainTimeout: limits.drainTimeoutMs,
        maxInflightInbound: limits.maxInflight,
        // Packets between CONNECT and CONNACK.
        queueLimit: limits.maxInflight,
        preConnect: clients.preConnect,
        authenticate: (client, name, password, answer) =>
          void clients.authenticate(client, { name, password, users: book?.users }).then(
            () => answer(null, true),
            (error) => answer(error, false),
          ),
        authorizePublish,
        authorizeSubscribe: (client, wanted, answer) => answer(null, subscribing.grant(client, wanted) ? wanted : null),
        authorizeForward: (client, packet) =>
          rightsOf(client)?.mayRead(packet.topic) === true && keepsUp(client) ? packet : null,
      });
      fanOut = takeOverFanOut(aedes, (topic) => sessions.subscribers(topic).size > 0);
      listenToBroker(aedes);
      await status('online');
      await openListeners();
      timer = setInterval(() => {
        watch.look();
        sessions.expire();
      }, LOOK_EVERY_MS);
    },
    async stop(hurry) {
      clearInterval(timer);
      const closed = listeners.map((listener) => listener.close());
      commits.flush();
      const broker = aedes;
      if (broker !== undefined && !broker.closed) {
        await farewell(hurry);
        await new Promise<void>((resolve) => broker.close(resolve));
      }
      // aedes does not know sockets that have not sent their CONNECT.
      watch.destroyAll();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      certificates?.close();
      book?.close();
    },
  };
}
