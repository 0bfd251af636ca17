import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../domain/clock.js';
import { silentLogger } from '../domain/log.js';
import { type BrokerOptions, createBroker, type Ingest } from './broker.js';
import type { Accept, Publication } from './publication.js';

const isReading = (topic: string): boolean => /^meters\/[^/]+\/reading$/.test(topic);

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const NEVER_ABORTED = new AbortController().signal;

async function start(accept: Accept, options: Partial<BrokerOptions> = {}): Promise<Ingest> {
  const broker = createBroker(
    { host: '127.0.0.1', port: 0, maxConnections: 100, maxPending: 1_000, ...options },
    { accept, isReading },
    { clock: systemClock, log: silentLogger, events: { connectionRefused: () => undefined } },
  );
  await broker.start();
  opened.push(() => broker.stop(NEVER_ABORTED));
  return broker;
}

async function client(broker: Ingest, options: object = {}): Promise<MqttClient> {
  const connected = await connectAsync(`mqtt://${broker.address}`, { reconnectPeriod: 20, ...options });
  connected.on('error', () => undefined);
  opened.push(() => connected.endAsync(true));
  return connected;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(5);
  }
}

const texts = (batches: readonly (readonly Publication[])[]): string[] =>
  batches.flat().map(({ payload }) => Buffer.from(payload).toString());

test('a PUBACK comes after the commit, and not at all when the commit failed', async () => {
  const order: string[] = [];
  let fails = true;
  const broker = await start((batch) => {
    for (const { payload } of batch) order.push(`${fails ? 'failed' : 'stored'} ${Buffer.from(payload)}`);
    if (fails) throw new Error('disk full');
  });
  const meter = await client(broker, { clientId: 'm1', clean: false });
  const acknowledged = meter
    .publishAsync('meters/m1/reading', '{"power_w":1}', { qos: 1 })
    .then(() => order.push('PUBACK'));

  await until(() => order.length > 0, 'the first attempt arrives');
  fails = false;
  await acknowledged;

  expect(order[0]).toBe('failed {"power_w":1}');
  expect(order).not.toContain('PUBACK failed');
  expect(order.slice(-2)).toEqual(['stored {"power_w":1}', 'PUBACK']);
});

test('what many clients send at once goes into few commits', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const clients = await Promise.all(Array.from({ length: 10 }, () => client(broker)));
  await Promise.all(
    clients.flatMap((one) => Array.from({ length: 50 }, () => one.publishAsync('meters/a/reading', '{}', { qos: 1 }))),
  );
  expect(texts(batches)).toHaveLength(500);
  expect(batches.length).toBeLessThan(100);
});

test('no batch is longer than max_pending', async () => {
  const lengths: number[] = [];
  const broker = await start((batch) => lengths.push(batch.length), { maxPending: 3 });
  const meter = await client(broker);
  await Promise.all(Array.from({ length: 20 }, () => meter.publishAsync('meters/a/reading', '{}', { qos: 1 })));
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(20);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(3);
});

test('QoS 0 and QoS 2 are stored once each', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const meter = await client(broker);
  await meter.publishAsync('meters/a/reading', 'zero', { qos: 0 });
  await meter.publishAsync('meters/a/reading', 'two', { qos: 2 });
  await until(() => batches.length > 0, 'both are stored');
  expect(texts(batches).sort()).toEqual(['two', 'zero']);
});

test('a will on a reading topic is not a reading', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const watcher = await client(broker);
  const heard: string[] = [];
  watcher.on('message', (topic) => heard.push(topic));
  await watcher.subscribeAsync('#');
  const dying = await client(broker, {
    reconnectPeriod: 0,
    will: { topic: 'meters/a/reading', payload: 'will', qos: 1, retain: false },
  });
  const other = await client(broker, {
    reconnectPeriod: 0,
    will: { topic: 'status/a', payload: 'gone', qos: 1, retain: false },
  });
  dying.stream.destroy();
  other.stream.destroy();
  await until(() => heard.includes('status/a'), 'the other will is heard');
  expect(texts(batches)).toEqual([]);
  expect(heard).toEqual(['status/a']);
});

test('a retained reading is a fresh one, and is not replayed to who subscribes later', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const meter = await client(broker);
  await meter.publishAsync('meters/a/reading', 'kept?', { qos: 1, retain: true });
  await meter.publishAsync('status/a', 'kept', { qos: 1, retain: true });
  const late = await client(broker);
  const heard: string[] = [];
  late.on('message', (topic) => heard.push(topic));
  await late.subscribeAsync('#');
  await until(() => heard.includes('status/a'), 'the retained status is heard');
  expect(texts(batches)).toEqual(['kept?']);
  expect(heard).toEqual(['status/a']);
});

test('what the gateway itself says, and retains, is heard by who subscribes later', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  broker.publish('wattwarden/gw/silent', '["a"]', { retain: true });
  const late = await client(broker);
  const heard: string[] = [];
  late.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await late.subscribeAsync('#');
  await until(() => heard.length > 0, 'it is heard');
  expect(heard).toEqual(['wattwarden/gw/silent ["a"]']);
  expect(batches).toEqual([]);
  await broker.stop(NEVER_ABORTED);
  broker.publish('wattwarden/gw/silent', '[]', { retain: true });
});

test('other topics pass between clients and are not readings', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const listener = await client(broker);
  const heard: string[] = [];
  listener.on('message', (topic) => heard.push(topic));
  await listener.subscribeAsync('#');
  const meter = await client(broker);
  for (const topic of ['meters/a/status', 'meters/a/b/reading', 'x/meters/a/reading', 'meters//reading']) {
    await meter.publishAsync(topic, '1', { qos: 1 });
  }
  await until(() => heard.length >= 4, 'all four are heard');
  expect(batches).toEqual([]);
});

test('stopping does not wait for a socket that never sends its CONNECT', async () => {
  const broker = await start(() => undefined);
  const [host = '', port = ''] = broker.address.split(':');
  const silent = connectTcp(Number(port), host);
  await new Promise((resolve) => silent.once('connect', resolve));
  const closed = new Promise((resolve) => silent.once('close', resolve));
  const beganMs = performance.now();
  await broker.stop(NEVER_ABORTED);
  await closed;
  expect(performance.now() - beganMs).toBeLessThan(2_000);
});

test('a port in use is named', async () => {
  const first = await start(() => undefined);
  const port = Number(first.address.split(':')[1]);
  const second = createBroker(
    { host: '127.0.0.1', port, maxConnections: 1, maxPending: 1 },
    { accept: () => undefined, isReading },
    {
      clock: systemClock,
      log: silentLogger,
      events: { connectionRefused: () => undefined },
    },
  );
  opened.push(() => second.stop(NEVER_ABORTED));
  await expect(second.start()).rejects.toMatchObject({ code: 'port.in_use' });
});
