import { setMaxListeners } from 'node:events';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { SimulatedMeter } from './fleet.js';
import type { SimulatedMessage } from './meter-messages.js';
import type { Pace } from './pace.js';

/** What one meter sends, in order. */
export interface Stream {
  readonly meter: SimulatedMeter;
  readonly messages: Iterator<SimulatedMessage, void>;
}

/** One MQTT client: a meter by itself, or a concentrator for many. */
export interface Carrier {
  readonly clientId: string;
  readonly streams: readonly Stream[];
}

export interface PublisherOptions {
  readonly url: string;
  readonly login?: Pick<IClientOptions, 'username' | 'password' | 'ca' | 'cert' | 'key'>;
  readonly carriers: readonly Carrier[];
  readonly pace: Pace;
  readonly signal: AbortSignal;
  onProgress(message: string): void;
  /** A message is with the broker. */
  onSent?(meter: SimulatedMeter, message: SimulatedMessage): void;
}

/** Unacknowledged messages of one meter; a concentrator may have as many as brokers usually allow a client. */
const IN_FLIGHT = 20;

/**
 * Publishes with QoS 1 until every stream has ended. Each client sends its own messages in their order, whatever the
 * others do; while the broker is away it waits, and goes on with the message that was not acknowledged.
 */
export async function publishFleet(options: PublisherOptions): Promise<{ readonly messages: number }> {
  const { carriers, onProgress, signal } = options;
  setMaxListeners(0, signal); // every client waits for it
  const clients = carriers.map(({ clientId }) =>
    connect(options.url, { ...options.login, clientId, clean: true, reconnectPeriod: 1_000, queueQoSZero: false }),
  );
  try {
    await Promise.all(clients.map((client) => connected(client, options.url, signal)));
    for (const client of clients) client.on('error', (error) => onProgress(`connection: ${error.message}`));
    const counts = await Promise.all(carriers.map((carrier, index) => carry(carrier, clients[index], options)));
    return { messages: counts.reduce((sum, count) => sum + count, 0) };
  } finally {
    await Promise.all(clients.map(async (client) => await client.endAsync(true)));
  }
}

/** Without what may stand before the host: a password, perhaps. */
export function brokerOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

/** The first connection must succeed; later ones are tried again for ever. */
function connected(client: MqttClient, url: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = ({ message }: Error): void =>
      reject(new Error(`${brokerOf(url)} cannot be used: ${message}. Is that the broker? --url names another one.`));
    const stopped = (): void => reject(new Error('stopped while connecting'));
    if (signal.aborted) stopped();
    signal.addEventListener('abort', stopped, { once: true });
    client.once('error', failed);
    client.once('connect', () => {
      client.off('error', failed);
      signal.removeEventListener('abort', stopped);
      resolve();
    });
  });
}

async function carry(carrier: Carrier, client: MqttClient | undefined, options: PublisherOptions): Promise<number> {
  const { pace, signal, onSent } = options;
  if (client === undefined) return 0;
  const flight = createFlight(signal);
  let count = 0;
  for (const { meter, message } of inOrder(carrier.streams)) {
    await pace.until(message.dueMs, signal);
    await flight.below(IN_FLIGHT);
    if (signal.aborted) break;
    flight.add(client.publishAsync(message.topic, message.payload, { qos: 1 }), () => onSent?.(meter, message));
    count += 1;
  }
  await flight.below(1);
  return count;
}

interface Flight {
  add(sending: Promise<unknown>, landed: () => void): void;
  /** Resolves when fewer than so many are on their way, or all is over; rejects when one could not be sent. */
  below(most: number): Promise<void>;
}

function createFlight(signal: AbortSignal): Flight {
  let open = 0;
  let failure: unknown;
  let wake: () => void = () => undefined;
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    add(sending, landed) {
      open += 1;
      const end = (): void => {
        open -= 1;
        wake();
      };
      sending.then(
        () => {
          landed();
          end();
        },
        (error: unknown) => {
          failure ??= error;
          end();
        },
      );
    },
    async below(most) {
      while (open >= most && failure === undefined && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined && !signal.aborted) throw failure;
    },
  };
}

/** Merges streams by the moment of sending; at the same moment, in the order of the list. */
function* inOrder(streams: readonly Stream[]): Generator<{ meter: SimulatedMeter; message: SimulatedMessage }, void> {
  const heads = streams.flatMap(({ meter, messages }) => {
    const { value } = messages.next();
    return value === undefined ? [] : [{ meter, messages, message: value }];
  });
  while (heads.length > 0) {
    const head = heads.reduce((first, one) => (one.message.dueMs < first.message.dueMs ? one : first));
    yield { meter: head.meter, message: head.message };
    const { value } = head.messages.next();
    if (value === undefined) heads.splice(heads.indexOf(head), 1);
    else head.message = value;
  }
}
