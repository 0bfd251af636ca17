import type { MqttClient } from 'mqtt';
import { writeToStream } from 'mqtt-packet';
import { afterEach, expect, test } from 'vitest';
import { createKit, NEVER_ABORTED, OPTIONS, type TestBroker, until } from './broker.fixture.js';
import type { BrokerOptions } from './broker.js';
import type { Accept, Publication } from './publication.js';

const kit = createKit();
afterEach(kit.close);

const start = (accept: Accept, options: Partial<BrokerOptions> = {}): Promise<TestBroker> =>
  kit.broker(accept, options);
const client = (broker: TestBroker, options: object = {}): Promise<MqttClient> =>
  kit.client(broker, { reconnectPeriod: 20, ...options });

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
  await watcher.subscribeAsync(['meters/#', 'status/#']);
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
  await late.subscribeAsync(['meters/#', 'status/#']);
  await until(() => heard.includes('status/a'), 'the retained status is heard');
  expect(texts(batches)).toEqual(['kept?']);
  expect(heard).toEqual(['status/a']);
});

test('what the gateway itself says, and retains, is heard by who subscribes later', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  await broker.announce('wattwarden/gw/silent', '["a"]');
  const late = await client(broker);
  const heard: string[] = [];
  late.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await late.subscribeAsync('wattwarden/gw/silent');
  await until(() => heard.length > 0, 'it is heard');
  expect(heard).toEqual(['wattwarden/gw/silent ["a"]']);
  expect(batches).toEqual([]);
  await broker.stop(NEVER_ABORTED);
  await broker.announce('wattwarden/gw/silent', '[]');
});

test('other topics pass between clients and are not readings', async () => {
  const batches: (readonly Publication[])[] = [];
  const broker = await start((batch) => batches.push(batch));
  const listener = await client(broker);
  const heard: string[] = [];
  listener.on('message', (topic) => heard.push(topic));
  await listener.subscribeAsync(['meters/#', 'x/#']);
  const meter = await client(broker);
  for (const topic of ['meters/a/status', 'meters/a/b/reading', 'x/meters/a/reading', 'meters//reading']) {
    await meter.publishAsync(topic, '1', { qos: 1 });
  }
  await until(() => heard.length >= 4, 'all four are heard');
  expect(batches).toEqual([]);
});

test('stopping does not wait for a socket that never sends its CONNECT', async () => {
  const broker = await start(() => undefined);
  const silent = await kit.raw(broker);
  const closed = new Promise((resolve) => silent.once('close', resolve));
  const beganMs = performance.now();
  await broker.stop(NEVER_ABORTED);
  await closed;
  expect(performance.now() - beganMs).toBeLessThan(2_000);
});

test('a port in use is named', async () => {
  const { port } = await start(() => undefined);
  const [place] = OPTIONS.listeners;
  if (place === undefined) throw new Error('no listener');
  const second = start(() => undefined, { listeners: [{ ...place, port }] });
  await expect(second).rejects.toMatchObject({ code: 'port.in_use' });
});

test('no buffer is kept for each of the 65,536 packet numbers', async () => {
  writeToStream.cacheNumbers = true;
  await start(() => undefined);
  expect(writeToStream.cacheNumbers).toBe(false);
});
