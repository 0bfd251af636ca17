import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import type { MqttRefusal } from '../domain/refusal.js';
import { type Broker, type BrokerLimits, type BrokerOptions, createBroker } from './broker.js';
import type { Accept } from './publication.js';

export const isReading = (topic: string): boolean => /^meters\/[^/]+\/reading$/.test(topic);
export const NEVER_ABORTED = new AbortController().signal;

export const LIMITS: BrokerLimits = {
  maxConnections: 2_000,
  maxPerAddress: 2_000,
  perSecond: 10_000,
  perSecondPerAddress: 10_000,
  connectTimeoutMs: 5_000,
  maxPacketBytes: 65_536,
  packetTimeoutMs: 5_000,
  maxSilenceMs: 60_000,
  maxTopicBytes: 256,
  maxTopicLevels: 16,
  maxClientIdBytes: 128,
  maxInflight: 1_000,
  maxSubscriptions: 100,
  maxOutgoingBytes: 262_144,
  drainTimeoutMs: 5_000,
  maxRetained: 100,
  maxRetainedBytes: 1_000_000,
  maxSessions: 100,
  expiryMs: 60_000,
  maxQueuedMessages: 100,
  maxQueuedBytes: 1_000_000,
  checksAtOnce: 2,
  maxWaiting: 2_000,
};

export const OPTIONS: BrokerOptions = {
  listeners: [
    { kind: 'tcp', host: '127.0.0.1', port: 0, encrypted: false, clientCertificates: 'off', allowedOrigins: [] },
  ],
  certificateFiles: undefined,
  usersFile: undefined,
  readSecret: (file) => readFileSync(file, 'utf8'),
  anonymous: true,
  roles: {
    meter: { publish: ['meters/%u/#'], subscribe: ['meters/%u/#', 'wattwarden/+/status'] },
    gateway: { publish: ['meters/+/reading'], subscribe: ['wattwarden/+/status'] },
    reader: { publish: [], subscribe: ['#'] },
  },
  statusTopic: 'wattwarden/gw/status',
  maxPending: 1_000,
  limits: LIMITS,
};

export interface TestBroker extends Broker {
  readonly port: number;
  readonly refused: Readonly<Partial<Record<MqttRefusal, number>>>;
  readonly reloads: readonly string[];
}

/** What a test has opened, closed in reverse when it ends: `afterEach(kit.close)`. */
export function createKit() {
  const opened: (() => Promise<unknown> | unknown)[] = [];

  async function broker(accept: Accept = () => undefined, given: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const refused: Partial<Record<MqttRefusal, number>> = {};
    const reloads: string[] = [];
    const events = {
      refused(reason: MqttRefusal) {
        refused[reason] = (refused[reason] ?? 0) + 1;
      },
      reloaded: (what: string, fine: boolean) => void reloads.push(`${what} ${fine ? 'used' : 'broken'}`),
    };
    const made = createBroker(
      { ...OPTIONS, ...given },
      { accept, isReading },
      { clock: systemClock, log: silentLogger, events },
    );
    opened.push(() => made.stop(NEVER_ABORTED));
    await made.start();
    const port = Number(made.address.split(':').at(-1));
    // Object.create keeps the getters of the broker alive.
    return Object.assign(Object.create(made) as Broker, { port, refused, reloads });
  }

  async function client(to: { readonly address: string }, options: IClientOptions = {}): Promise<MqttClient> {
    const connected = await connectAsync(
      `${options.protocol ?? 'mqtt'}://${to.address}`,
      { reconnectPeriod: 0, ...options },
      false,
    );
    connected.on('error', () => undefined);
    opened.push(() => connected.endAsync(true));
    return connected;
  }

  async function raw(to: { readonly port: number }, bytes: Buffer = Buffer.alloc(0)): Promise<Socket> {
    const socket = connectTcp(to.port, '127.0.0.1');
    socket.on('error', () => undefined);
    opened.push(() => socket.destroy());
    await new Promise((resolve) => socket.once('connect', resolve));
    if (bytes.length > 0) socket.write(bytes);
    return socket;
  }

  function directory(): string {
    const dir = mkdtempSync(join(tmpdir(), 'wattwarden-ingest-'));
    opened.push(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  }

  return {
    broker,
    client,
    raw,
    directory,
    async close() {
      for (const close of opened.splice(0).reverse()) await close();
    },
  };
}

export async function until(condition: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(5);
  }
}

/** A CONNECT of MQTT 3.1.1, byte by byte. */
export function connectPacket(id: string, { keepalive = 60, clean = true } = {}): Buffer {
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, clean ? 2 : 0]), uint16(keepalive), text(id)]);
  return Buffer.concat([Buffer.from([0x10]), lengthOf(body), body]);
}

interface Published {
  readonly qos: 0 | 1 | 2;
  readonly id?: number;
  readonly dup?: boolean;
}

export function publishPacket(topic: string, payload: string, { qos, id = 1, dup = false }: Published): Buffer {
  const body = Buffer.concat([text(topic), ...(qos > 0 ? [uint16(id)] : []), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1) | (dup ? 8 : 0)]), lengthOf(body), body]);
}

export function subscribePacket(...filters: readonly string[]): Buffer {
  const body = Buffer.concat([uint16(1), ...filters.flatMap((filter) => [text(filter), Buffer.from([1])])]);
  return Buffer.concat([Buffer.from([0x82]), lengthOf(body), body]);
}

export const pubrelPacket = (id: number): Buffer => Buffer.concat([Buffer.from([0x62, 2]), uint16(id)]);

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const text = (value: string): Buffer => Buffer.concat([uint16(Buffer.byteLength(value)), Buffer.from(value)]);

function lengthOf(body: Buffer): Buffer {
  const bytes: number[] = [];
  let left = body.length;
  do {
    bytes.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.from(bytes);
}

/** Everything that a socket has received, as it grows. */
export function received(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

export interface Authority {
  readonly file: string;
  /** Writes `<name>.pem` and `<name>.key`, for 127.0.0.1. */
  issue(name: string): { readonly certFile: string; readonly keyFile: string };
}

/** A certificate authority in a directory, made with openssl. */
export function createAuthority(dir: string, name: string): Authority {
  const openssl = (...given: readonly string[]) => execFileSync('openssl', given, { cwd: dir, stdio: 'ignore' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = `${name}.pem`;
  openssl('req', '-x509', ...curve, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', ca);
  const extensions = join(dir, 'extensions');
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  return {
    file: join(dir, ca),
    issue(subject) {
      const request = `${subject}.csr`;
      const certFile = join(dir, `${subject}.pem`);
      const keyFile = join(dir, `${subject}.key`);
      openssl('req', '-new', ...curve, '-subj', `/CN=${subject}`, '-keyout', keyFile, '-out', request);
      const sign = ['x509', '-req', '-in', request, '-CA', ca, '-CAkey', `${name}.key`, '-CAcreateserial'];
      openssl(...sign, '-days', '2', '-extfile', extensions, '-out', certFile);
      chmodSync(keyFile, 0o600);
      return { certFile, keyFile };
    },
  };
}
