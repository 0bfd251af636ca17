import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IClientOptions, MqttClient } from 'mqtt';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createRights } from './access.js';
import { createKit, OPTIONS, type TestBroker, until } from './broker.fixture.js';
import type { BrokerOptions } from './broker.js';
import { hashPassword } from './password-hash.js';
import type { Publication } from './publication.js';
import { createPattern, isFilter } from './topic-filter.js';

const kit = createKit();
afterEach(kit.close);

let hash = '';
beforeAll(async () => {
  hash = await hashPassword(Buffer.from('secret'));
});

interface Started {
  readonly broker: TestBroker;
  readonly file: string;
  readonly stored: string[];
}

async function start(options: Partial<BrokerOptions> = {}): Promise<Started> {
  const file = join(kit.directory(), 'users');
  const lines = ['m1:meter', 'm2:meter', 'gw:gateway', 'ear:reader'].map((user) => `${user}:${hash}`);
  writeFileSync(file, `${lines.join('\n')}\nlocked:meter:!\ncert:meter:-\n`);
  const stored: string[] = [];
  const accept = (batch: readonly Publication[]): void => void stored.push(...batch.map(({ topic }) => topic));
  const broker = await kit.broker(accept, { usersFile: file, anonymous: false, ...options });
  return { broker, file, stored };
}

const as = (username: string, more: IClientOptions = {}): IClientOptions => ({ username, password: 'secret', ...more });
const failure = (connecting: Promise<MqttClient>): Promise<number> =>
  connecting.then(
    () => 0,
    (error: { code?: number }) => error.code ?? -1,
  );

const closing = (client: MqttClient): Promise<void> => new Promise((resolve) => client.once('close', () => resolve()));

/** Granted QoS of each filter; 128 is a refusal. */
const granted = (client: MqttClient, ...filters: readonly string[]): Promise<readonly number[]> =>
  new Promise((resolve) => {
    client.once('packetreceive', function suback(packet) {
      if (packet.cmd === 'suback') resolve(packet.granted as number[]);
      else client.once('packetreceive', suback);
    });
    client.subscribe([...filters], { qos: 1 }, () => undefined);
  });

test('the answer names what was wrong, and tells a stranger nothing about who exists', async () => {
  const { broker } = await start();
  expect(await failure(kit.client(broker))).toBe(5);
  const wrong = [as('m1', { password: 'guess' }), as('nobody'), as('locked'), as('cert'), { username: 'm1' }];
  for (const options of wrong) expect(await failure(kit.client(broker, options))).toBe(4);
  expect(await failure(kit.client(broker, as('m1')))).toBe(0);
  expect(broker.refused).toEqual({ no_credentials: 1, bad_credentials: 5 });
});

test('a meter publishes to its own topics; on another one it is cut off, and nothing of it is stored', async () => {
  const { broker, stored } = await start();
  const meter = await kit.client(broker, as('m1'));
  await meter.publishAsync('meters/m1/reading', '{}', { qos: 1 });
  const ended = closing(meter);
  meter.publish('meters/m2/reading', '{}', { qos: 1 });
  await ended;
  for (const topic of ['$SYS/x', 'wattwarden/gw/status', 'meters/m11/reading', 'other']) {
    const again = await kit.client(broker, as('m1'));
    const closed = closing(again);
    again.publish(topic, '{}');
    await closed;
  }
  expect(stored).toEqual(['meters/m1/reading']);
  expect(broker.refused).toEqual({ publish_not_allowed: 5 });
});

test('a will on a topic of somebody else is not published', async () => {
  const { broker } = await start();
  const ear = await kit.client(broker, as('ear'));
  const heard: string[] = [];
  ear.on('message', (topic) => heard.push(topic));
  await ear.subscribeAsync('meters/#');
  for (const topic of ['meters/m2/status', 'meters/m1/status']) {
    const will = { topic, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
    const dying = await kit.client(broker, as('m1', { will }));
    dying.stream.destroy();
  }
  await until(() => heard.length > 0, 'its own will is heard');
  expect(heard).toEqual(['meters/m1/status']);
});

test('nobody subscribes beyond his rights, also not by a wildcard or beside something he may', async () => {
  const { broker } = await start();
  const meter = await kit.client(broker, as('m1'));
  const wanted = ['meters/m1/#', '#', 'meters/+/reading', 'meters/m2/reading', '$SYS/#', 'wattwarden/gw/status'];
  expect(await granted(meter, ...wanted)).toEqual([1, 128, 128, 128, 128, 1]);
  const ear = await kit.client(broker, as('ear'));
  expect(await granted(ear, '#', '$SYS/#', '$share/g/meters/#')).toEqual([1, 128, 128]);
});

test('what was refused in a session is not queued for it either', async () => {
  const { broker } = await start();
  const session = { clientId: 'spy', clean: false };
  const spy = await kit.client(broker, as('m1', session));
  expect(await granted(spy, 'meters/m2/command', 'meters/m1/command')).toEqual([128, 1]);
  await spy.endAsync();
  const other = await kit.client(broker, as('m2'));
  await other.publishAsync('meters/m2/command', 'not yours', { qos: 1 });
  const own = await kit.client(broker, as('m1'));
  await own.publishAsync('meters/m1/command', 'yours', { qos: 1 });
  expect(broker.figures.queuedBytes).toBeGreaterThan(0);
  const heard: string[] = [];
  const back = await kit.client(broker, { ...as('m1', session), clientId: 'spy' });
  back.on('message', (_topic, payload) => heard.push(payload.toString()));
  await until(() => heard.length > 0 || broker.figures.queuedBytes === 0, 'the queue is delivered');
  expect(heard.filter((text) => text !== 'yours')).toEqual([]);
});

test('a gateway publishes for many meters, and topics of his own stand for those of his role', async () => {
  const { broker, file, stored } = await start();
  const gateway = await kit.client(broker, as('gw'));
  await gateway.publishAsync('meters/a/reading', '{}', { qos: 1 });
  await gateway.publishAsync('meters/b/reading', '{}', { qos: 1 });
  appendFileSync(file, `gw2:gateway:${hash}:meters/c/reading\n`);
  await until(() => broker.reloads.length > 0, 'the new user is known');
  const bounded = await kit.client(broker, as('gw2'));
  await bounded.publishAsync('meters/c/reading', '{}', { qos: 1 });
  const closed = closing(bounded);
  bounded.publish('meters/a/reading', '{}');
  await closed;
  expect(stored).toEqual(['meters/a/reading', 'meters/b/reading', 'meters/c/reading']);
});

test('a user who is removed is cut off, one whose line stays is not, and a broken file changes nothing', async () => {
  const { broker, file } = await start();
  const [first, second] = [await kit.client(broker, as('m1')), await kit.client(broker, as('m2'))];
  writeFileSync(file, 'm1:nonsense\n');
  await until(() => broker.reloads.includes('users broken'), 'the broken file is noticed');
  expect(first.connected).toBe(true);
  writeFileSync(file, `m2:meter:${hash}\n`);
  await until(() => !first.connected, 'the removed user is cut off');
  await second.publishAsync('meters/m2/reading', '{}', { qos: 1 });
  expect(await failure(kit.client(broker, as('m1')))).toBe(4);
});

test('nobody takes over the client id of another user, connected or not', async () => {
  const { broker } = await start();
  const mine = await kit.client(broker, as('m1', { clientId: 'x', clean: false }));
  await mine.subscribeAsync('meters/m1/#', { qos: 1 });
  expect(await failure(kit.client(broker, as('m2', { clientId: 'x' })))).toBe(2);
  expect(mine.connected).toBe(true);
  await mine.endAsync();
  expect(await failure(kit.client(broker, as('m2', { clientId: 'x', clean: true })))).toBe(2);
  expect(await failure(kit.client(broker, as('m1', { clientId: 'x' })))).toBe(0);
});

test('one hash for each credential: whoever comes again costs none', async () => {
  const { broker } = await start({ limits: { ...OPTIONS.limits, checksAtOnce: 1, maxWaiting: 0 } });
  await kit.client(broker, as('m1'));
  // Whoever needed a hash while another one is computed would be turned away.
  await Promise.all(Array.from({ length: 50 }, () => kit.client(broker, as('m1'))));
  expect(broker.refused).toEqual({});
});

test('beyond the waiting line a password is refused unchecked, and the count says so', async () => {
  const { broker } = await start({ limits: { ...OPTIONS.limits, checksAtOnce: 1, maxWaiting: 3 } });
  const codes = await Promise.all(
    Array.from({ length: 20 }, (_, nth) => failure(kit.client(broker, as('m1', { password: `guess ${nth}` })))),
  );
  expect(codes.filter((code) => code === 4)).toHaveLength(4);
  expect(codes.filter((code) => code === 3)).toHaveLength(16);
  expect(broker.refused).toEqual({ busy: 16, bad_credentials: 4 });
  expect(await failure(kit.client(broker, as('m1')))).toBe(0);
});

test('the status of the gateway is retained for everybody, and says offline at an ordered stop', async () => {
  const { broker } = await start();
  const meter = await kit.client(broker, as('m1'));
  const heard: { retain: boolean; state: string }[] = [];
  meter.on('message', (_topic, payload, { retain }) => {
    heard.push({ retain, state: (JSON.parse(payload.toString()) as { state: string }).state });
  });
  await meter.subscribeAsync(OPTIONS.statusTopic);
  await until(() => heard.length === 1, 'the status is there');
  await broker.stop(new AbortController().signal);
  await until(() => heard.length === 2, 'the last word');
  expect(heard).toEqual([
    { retain: true, state: 'online' },
    { retain: false, state: 'offline' },
  ]);
});

test.each([
  ['a/#', 'a', true],
  ['a/#', 'a/b/#', true],
  ['a/+', 'a/+', true],
  ['a/+', 'a/#', false],
  ['+/b', 'a/b', true],
  ['a/b', '+/b', false],
  ['#', '+/#', true],
  ['a/+', 'a', false],
  ['a/+/c', 'a/b/c/d', false],
])('pattern %s covers %s: %s', (pattern, filter, expected) => {
  expect(createPattern(pattern).covers(filter)).toBe(expected);
});

test('filters with wildcards in the wrong place are none', () => {
  expect(['a#', 'a+', '+a/b', '#/a', '', 'a\0b'].filter(isFilter)).toEqual([]);
  expect(['#', '+', '/', 'a//b', '+/+/#'].filter((filter) => !isFilter(filter))).toEqual([]);
});

test('a name with a dot or an @ stands for itself only', () => {
  const rights = createRights('m.1', OPTIONS.roles.meter);
  expect([rights.mayPublish('meters/m.1/reading'), rights.mayPublish('meters/mx1/reading')]).toEqual([true, false]);
});
