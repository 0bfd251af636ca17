import { type Readable, Readable as ReadableStream } from 'node:stream';
import { connect, type IClientOptions, type IPublishPacket, type IStore, type MqttClient } from 'mqtt';
import type { Clock } from '../domain/clock.js';
import { WattwardenError } from '../domain/errors.js';
import type { Logger } from '../domain/log.js';
import { createAcknowledgements } from './client-acknowledgements.js';
import { failureOf } from './client-failure.js';
import type { GroupCommit } from './group-commit.js';
import { makePacketsLean } from './packet-library.js';
import type { Sink } from './publication.js';

/** What one connection is made with. */
export interface SessionOptions {
  readonly url: string;
  readonly protocol: '3.1.1' | '5';
  readonly clientId: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM texts. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly keepaliveS: number;
  readonly sessionExpiryS: number;
  /** Topic filters, as they are sent. */
  readonly filters: readonly string[];
  readonly statusTopic?: string | undefined;
  /** What a broker of MQTT 5 may send ahead of our acknowledgements. */
  readonly maxPending: number;
}

export interface SessionEvents {
  connected(is: boolean): void;
  ignored(why: 'retained' | 'no_feed'): void;
}

interface Surroundings {
  readonly commits: GroupCommit;
  readonly isReading: Sink['isReading'];
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: SessionEvents;
}

/** Longest wait for the TCP, TLS and MQTT handshakes together. */
const CONNECT_WITHIN_MS = 20_000;
/** Longest wait for the other broker to take our farewell. */
const FAREWELL_MS = 2_000;
/** Well above every payload that the rules take; a broker of MQTT 5 does not send larger ones. */
const MAX_PACKET_BYTES = 4_194_304;

/**
 * One connection from its beginning to its end: resolves when `signal` has asked for the end, rejects with the reason
 * otherwise. Every connection has a client of the library to itself, so that nothing of one reaches the next.
 *
 * The library hands over one packet at a time and sends a PUBACK when `handleMessage` answers. An answer with an error
 * leaves out that PUBACK and nothing else; ours follows when the group commit has ended.
 */
export async function runSession(
  options: SessionOptions,
  { commits, isReading, clock, log, events }: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  let connected = false;
  let over = false;
  let failure: { readonly cause: unknown } | undefined;
  makePacketsLean();
  const client = connect(options.url, clientOptions(options, commitQos2));
  const { stream } = client;
  const acknowledgements = createAcknowledgements((packets) => stream.write(packets));

  function fail(cause: unknown): void {
    failure ??= { cause };
    if (over) return;
    over = true;
    acknowledgements.flush();
    acknowledgements.drop();
    client.end(true);
  }

  function take(packet: IPublishPacket, settled: (error?: Error) => void): void {
    const why = packet.retain ? 'retained' : isReading(packet.topic) ? undefined : 'no_feed';
    if (why !== undefined) {
      events.ignored(why);
      settled();
      return;
    }
    const { topic, dup } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    commits.add({ topic, payload, repeated: dup, receivedAtMs: clock.now() }, settled);
  }

  client.handleMessage = (packet, answer) => {
    // QoS 2 was committed when it arrived; this call comes with its PUBREL.
    if (packet.qos === 2) answer();
    else {
      if (!over) {
        const acknowledge = packet.qos === 0 ? undefined : acknowledgements.expect(packet.messageId ?? 0);
        take(packet, (error) => (error === undefined ? acknowledge?.() : fail(error)));
      }
      answer(ACKNOWLEDGED_LATER);
    }
  };

  /** We ask for QoS 1, but a session that somebody else left behind may hold QoS 2: PUBREC waits for the commit. */
  function commitQos2(packet: IPublishPacket, stored: () => void): void {
    if (over) return;
    take(packet, (error) => (error === undefined ? stored() : fail(error)));
  }

  const closed = new Promise<void>((resolve) => client.once('close', resolve));
  client.on('error', fail);
  stream.on('error', (error: Error) => {
    failure ??= { cause: error };
  });
  client.on('disconnect', ({ reasonCode = 0 }) => {
    failure ??= { cause: new Error(`the broker ended it with reason ${reasonCode}`) };
  });
  client.on('connect', ({ sessionPresent }) => {
    connected = true;
    if (options.statusTopic !== undefined) client.publish(options.statusTopic, 'online', STATUS);
    subscribe(client, options, { log, fail }, () => {
      events.connected(true);
      log.info({ url: options.url, sessionPresent }, 'subscribed at the broker of source');
    });
  });

  async function leave(): Promise<void> {
    if (over) return;
    // What arrives from now on stays unanswered and is sent again to our next session.
    over = true;
    commits.flush();
    acknowledgements.flush();
    if (!connected) {
      client.end(true);
      return;
    }
    const enough = new AbortController();
    void clock.sleep(FAREWELL_MS, enough.signal).then(() => stream.destroy());
    // With a proper DISCONNECT the broker does not publish the will.
    if (options.statusTopic !== undefined) client.publish(options.statusTopic, 'offline', STATUS);
    client.end();
    await closed;
    enough.abort();
  }

  const asked = () => void leave();
  signal.addEventListener('abort', asked, { once: true });
  if (signal.aborted) asked();
  await closed;
  signal.removeEventListener('abort', asked);
  over = true;
  acknowledgements.drop();
  events.connected(false);
  if (!signal.aborted) throw failureOf(failure?.cause, { url: options.url, connected });
}

const ACKNOWLEDGED_LATER = new Error('acknowledged after the commit');
const STATUS = { qos: 1, retain: true } as const;

function subscribe(
  client: MqttClient,
  { filters }: SessionOptions,
  { log, fail }: { log: Logger; fail: (cause: unknown) => void },
  done: () => void,
): void {
  // rh: a broker of MQTT 5 does not replay what it has retained.
  client.subscribe([...filters], { qos: 1, rh: 2 }, (error, granted = []) => {
    if (error !== null) {
      const refused = 'packet' in error && error.packet !== undefined;
      fail(refused ? new WattwardenError('source.refused', `${filters.join(', ')}: ${error.message}`) : error);
      return;
    }
    const without = granted.filter(({ qos }) => qos === 0).map(({ topic }) => topic);
    if (without.length > 0) log.warn({ filters: without }, 'granted with QoS 0 only: readings can be lost');
    done();
  });
}

type Commit = (packet: IPublishPacket, stored: () => void) => void;

function clientOptions(options: SessionOptions, commitQos2: Commit): IClientOptions {
  const { statusTopic, ca, cert, key } = options;
  return {
    protocolVersion: options.protocol === '5' ? 5 : 4,
    clientId: options.clientId,
    clean: false,
    keepalive: options.keepaliveS,
    connectTimeout: CONNECT_WITHIN_MS,
    // Connecting again is for whoever runs the sessions.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    incomingStore: createCommittingStore(commitQos2),
    ...(options.user === undefined ? {} : { username: options.user }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(statusTopic === undefined ? {} : { will: { topic: statusTopic, payload: Buffer.from('offline'), ...STATUS } }),
    ...(options.protocol === '5' ? { properties: propertiesOf(options) } : {}),
  };
}

const propertiesOf = ({ sessionExpiryS, maxPending }: SessionOptions) => ({
  sessionExpiryInterval: sessionExpiryS,
  receiveMaximum: Math.min(65_535, maxPending),
  maximumPacketSize: MAX_PACKET_BYTES,
});

/** Where the library puts a packet of QoS 2 before it sends the PUBREC. Keeps nothing: it is in the buffer then. */
function createCommittingStore(commit: Commit): IStore {
  const store: IStore = {
    put(packet, stored) {
      if (packet.cmd === 'publish') commit(packet, stored);
      return store;
    },
    get({ messageId }, found) {
      const released = { cmd: 'publish', topic: '', payload: '', qos: 2, dup: false, retain: false } as const;
      found(undefined, messageId === undefined ? released : { ...released, messageId });
      return store;
    },
    del(_packet, done) {
      done();
      return store;
    },
    createStream: () => emptyStream() as ReturnType<IStore['createStream']>,
    close: (done) => done(),
  };
  return store;
}

const emptyStream = (): Readable => ReadableStream.from([]);
