import { connect, type MqttClient } from 'mqtt';
import type { Clock, Random } from '../../agent/domain/clock.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import type { SentReading, SimulatedMeter } from './fleet.js';

export interface PublisherOptions {
  readonly url: string;
  readonly meters: readonly SimulatedMeter[];
  readonly intervalMs: number;
  readonly historyMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  onProgress(message: string): void;
}

/** Readings in one publication of the past. */
const CHUNK = 288;

/** Each meter is an MQTT client of its own: first its past in arrays, then what it shows, in its own rhythm. */
export async function publishFleet(options: PublisherOptions): Promise<void> {
  const { meters, onProgress, signal } = options;
  const pairs = meters.map((meter): Pair => {
    const client = connect(options.url, { clientId: `sim-${meter.id}`, clean: true, reconnectPeriod: 1_000 });
    return { meter, client };
  });
  try {
    await Promise.all(pairs.map(({ client }) => connected(client, signal)));
    for (const { client } of pairs) client.on('error', (error) => onProgress(`connection: ${error.message}`));
    const sent = await Promise.all(pairs.map(async (pair) => await publishHistory(pair, options)));
    const total = sent.reduce((all, one) => all + one, 0);
    if (total > 0) onProgress(`${total} readings of the past acknowledged`);
    await Promise.all(pairs.map(async (pair) => await publishLive(pair, options)));
  } finally {
    await Promise.all(pairs.map(async ({ client }) => await client.endAsync(true)));
  }
}

/** The first connection must succeed; later ones are tried again for ever. */
function connected(client: MqttClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    client.on('error', reject);
    signal.addEventListener('abort', () => reject(new Error('stopped while connecting')), { once: true });
  });
}

interface Pair {
  readonly meter: SimulatedMeter;
  readonly client: MqttClient;
}

async function publishHistory(
  { meter, client }: Pair,
  { clock, historyMs, signal }: PublisherOptions,
): Promise<number> {
  const lastSlot = Math.floor(clock.now() / SLOT_MS) - 1;
  const firstSlot = lastSlot - Math.floor(historyMs / SLOT_MS) + 1;
  let chunk: SentReading[] = [];
  for (let slot = firstSlot; slot <= lastSlot && !signal.aborted; slot++) {
    chunk.push(meter.at(slot * SLOT_MS + SLOT_MS / 2));
    if (chunk.length < CHUNK && slot < lastSlot) continue;
    await send(client, meter, chunk);
    chunk = [];
  }
  return lastSlot - firstSlot + 1;
}

async function publishLive(
  { meter, client }: Pair,
  { clock, intervalMs, random, signal }: PublisherOptions,
): Promise<void> {
  // Meters that were switched on together must not report together for ever.
  await clock.sleep(random() * intervalMs, signal);
  while (!signal.aborted) {
    if (client.connected) await send(client, meter, meter.at(clock.now()));
    await clock.sleep(intervalMs, signal);
  }
}

async function send(
  client: MqttClient,
  { id }: SimulatedMeter,
  payload: SentReading | readonly SentReading[],
): Promise<void> {
  await client.publishAsync(`meters/${id}/reading`, JSON.stringify(payload), { qos: 1 });
}
