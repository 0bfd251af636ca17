import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { TYPE } from '../../tests/kit/packets.js';
import { openScriptedBroker, type ScriptedBroker } from '../../tests/kit/scripted-broker.js';
import { until } from '../../tests/kit/until.js';
import { systemClock } from '../domain/clock.js';
import { type Logger, silentLogger } from '../domain/log.js';
import { type ClientOptions, createClient } from './client.js';
import { createGroupCommit } from './group-commit.js';
import type { Publication } from './publication.js';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

type Version = '3.1.1' | '5';
const READING = 'meters/a/reading';

/** A client of `broker` whose commits end when a test lets them. */
async function start(broker: ScriptedBroker, options: Partial<ClientOptions> = {}) {
  const stored: string[] = [];
  const events: string[] = [];
  const warned: string[] = [];
  const held: (() => void)[] = [];
  const scene = { fails: false, holds: false };
  const accept = (batch: readonly Publication[]) => {
    if (scene.fails) throw new Error('disk full');
    for (const { payload, repeated } of batch) stored.push(`${Buffer.from(payload)}${repeated ? ' again' : ''}`);
  };
  const group = createGroupCommit(accept, { maxPending: 1_000, windowMs: () => 0 });
  const log: Logger = {
    ...silentLogger,
    warn: (fields, message) => warned.push(`${'code' in fields ? fields.code : ''} ${message}`),
  };
  const client = createClient(
    {
      url: broker.url,
      protocol: '3.1.1',
      clientId: 'gw',
      keepaliveS: 30,
      sessionExpiryS: 60,
      filters: ['meters/+/reading'],
      maxPending: 1_000,
      maxRetryMs: 20,
      secrets: () => ({}),
      ...options,
    },
    {
      commits: {
        ...group,
        add(publication, answer) {
          if (scene.holds) held.push(() => group.add(publication, answer));
          else group.add(publication, answer);
        },
        get pending() {
          return group.pending;
        },
      },
      isReading: (topic) => topic === READING,
      clock: systemClock,
      random: () => 0,
      log,
      events: {
        connected: (is) => events.push(is ? 'connected' : 'gone'),
        ignored: (why) => events.push(why),
        failed: () => events.push('failed'),
      },
    },
  );
  await client.start();
  const stop = () => client.stop(new AbortController().signal);
  opened.push(stop);
  const release = () => {
    for (const add of held.splice(0)) add();
  };
  return { stored, events, warned, scene, release, held, stop };
}

async function open(options: Parameters<typeof openScriptedBroker>[0] = {}): Promise<ScriptedBroker> {
  const broker = await openScriptedBroker(options);
  opened.push(broker.close);
  return broker;
}

const heardOf = ({ heard }: ScriptedBroker, type: number) => heard.filter((packet) => packet.type === type);
const ids = (broker: ScriptedBroker, type: number = TYPE.puback) =>
  heardOf(broker, type).map(({ body }) => body.readUInt16BE(0));
const subscribed = (broker: ScriptedBroker, times = 1) =>
  until('it has subscribed', () => heardOf(broker, TYPE.subscribe).length >= times);

/** What the library does is proven here, for its version is pinned and these are its inner ways. */
describe.each<Version>(['3.1.1', '5'])('MQTT %s', (protocol) => {
  test('a PUBACK is sent once, by us, after the commit', async () => {
    const broker = await open({ version: protocol });
    const { stored, scene, release, held } = await start(broker, { protocol });
    await subscribed(broker);
    scene.holds = true;
    broker.publish({ topic: READING, payload: 'one', qos: 1, id: 7 });
    broker.publish({ topic: READING, payload: 'two', qos: 1, id: 8 });
    await until('both have arrived before either is acknowledged', () => held.length === 2);
    await delay(50); // the library would have acknowledged by now
    expect(ids(broker)).toEqual([]);
    release();
    await until('both are acknowledged', () => ids(broker).length === 2);
    await delay(50); // a second PUBACK of the library would have come by now
    expect(ids(broker)).toEqual([7, 8]);
    expect(heardOf(broker, TYPE.puback).map(({ body }) => body.length)).toEqual([2, 2]);
    expect(stored).toEqual(['one', 'two']);
  });

  test('QoS 0 is stored and answered with nothing', async () => {
    const broker = await open({ version: protocol });
    const { stored } = await start(broker, { protocol });
    await subscribed(broker);
    broker.publish({ topic: READING, payload: 'zero', qos: 0 });
    broker.publish({ topic: READING, payload: 'one', qos: 1, id: 1 });
    await until('the one after it is acknowledged', () => ids(broker).length === 1);
    expect(stored).toEqual(['zero', 'one']);
  });

  test('QoS 2 of a session that somebody else left is stored once, before its PUBREC', async () => {
    const broker = await open({ version: protocol });
    const { stored, scene, release, held } = await start(broker, { protocol });
    await subscribed(broker);
    scene.holds = true;
    broker.publish({ topic: READING, payload: 'two', qos: 2, id: 9 });
    await until('it has arrived', () => held.length === 1);
    await delay(50); // a PUBREC of the library would have come by now
    expect(ids(broker, TYPE.pubrec)).toEqual([]);
    release();
    await until('PUBREC', () => ids(broker, TYPE.pubrec).length === 1);
    expect(stored).toEqual(['two']);
    broker.pubrel(9);
    await until('PUBCOMP', () => ids(broker, TYPE.pubcomp).length === 1);
    broker.pubrel(10); // of a message that an earlier process has stored
    await until('PUBCOMP', () => ids(broker, TYPE.pubcomp).length === 2);
    expect(stored).toEqual(['two']);
  });

  test('a failed commit is not acknowledged; the connection ends and comes back', async () => {
    const broker = await open({ version: protocol });
    const { stored, scene, events } = await start(broker, { protocol });
    await subscribed(broker);
    scene.fails = true;
    broker.publish({ topic: READING, payload: 'one', qos: 1, id: 7 });
    await subscribed(broker, 2);
    expect(ids(broker)).toEqual([]);
    scene.fails = false;
    broker.publish({ topic: READING, payload: 'one', qos: 1, id: 7, dup: true });
    await until('it is acknowledged', () => ids(broker).length === 1);
    expect(stored).toEqual(['one again']);
    expect(events).toContain('failed');
  });

  test('acknowledgements of a lost connection are not sent in the next one', async () => {
    const broker = await open({ version: protocol });
    const { scene, release, held, stored } = await start(broker, { protocol });
    await subscribed(broker);
    scene.holds = true;
    broker.publish({ topic: READING, payload: 'before', qos: 1, id: 7 });
    await until('it has arrived', () => held.length === 1);
    broker.cut();
    await subscribed(broker, 2);
    scene.holds = false;
    release();
    await until('it is stored', () => stored.length === 1);
    broker.publish({ topic: READING, payload: 'after', qos: 1, id: 8 });
    await until('the next one is acknowledged', () => ids(broker).length > 0);
    expect(ids(broker)).toEqual([8]);
  });
});

test('PUBACKs keep the order of their packets', async () => {
  const broker = await open();
  const { scene, release, held, events } = await start(broker);
  await subscribed(broker);
  scene.holds = true;
  broker.publish({ topic: READING, payload: 'one', qos: 1, id: 1 });
  broker.publish({ topic: READING, payload: 'old', qos: 1, id: 2, retain: true });
  await until('both have arrived', () => held.length === 1 && events.includes('retained'));
  release();
  await until('both are acknowledged', () => ids(broker).length === 2);
  expect(ids(broker)).toEqual([1, 2]);
});

test('what is replayed or of no feed is acknowledged, counted and not stored', async () => {
  const broker = await open();
  const { stored, events } = await start(broker);
  await subscribed(broker);
  broker.publish({ topic: READING, payload: 'old', qos: 1, id: 1, retain: true });
  broker.publish({ topic: 'meters/a/state', payload: '{}', qos: 1, id: 2 });
  await until('both are acknowledged', () => ids(broker).length === 2);
  expect(stored).toEqual([]);
  expect(events).toEqual(['connected', 'retained', 'no_feed']);
});

test('the session is a lasting one, asks for QoS 1, and has a will', async () => {
  const broker = await open();
  await start(broker, { statusTopic: 'wattwarden/gw/status', user: 'u', secrets: () => ({ password: 'p' }) });
  await subscribed(broker);
  const [connect] = heardOf(broker, TYPE.connect);
  // Flags: user, password, will retained with QoS 1; the bit for a clean session is not set.
  expect(connect?.body.readUInt8(7)).toBe(0b1110_1100);
  expect(connect?.body.toString('latin1')).toContain('wattwarden/gw/status');
  const [subscribe] = heardOf(broker, TYPE.subscribe);
  expect(subscribe?.body.subarray(2).toString('latin1')).toBe('\x00\x10meters/+/reading\x01');
});

test('stopping stores and acknowledges what has arrived, says offline, and leaves properly', async () => {
  const broker = await open();
  const { stored, stop } = await start(broker, { statusTopic: 's' });
  await subscribed(broker);
  const before = broker.heard.length;
  broker.publish({ topic: READING, payload: 'last', qos: 1, id: 3 });
  await until('it is stored', () => stored.length === 1);
  await stop();
  const after = broker.heard.slice(before);
  expect(after.map(({ type }) => type).slice(-2)).toEqual([TYPE.publish, TYPE.disconnect]);
  expect(after.find(({ type }) => type === TYPE.publish)?.body.toString('latin1')).toContain('offline');
  expect(ids(broker)).toEqual([3]);
});

test('a broker that is away is tried again, with the secrets of that moment', async () => {
  const broker = await open();
  const passwords = ['first', 'second'];
  await start(broker, { user: 'u', secrets: () => ({ password: passwords.shift() ?? 'last' }) });
  await subscribed(broker);
  broker.cut();
  await subscribed(broker, 2);
  const sent = heardOf(broker, TYPE.connect).map(({ body }) => body.toString('latin1'));
  expect(sent[0]).toContain('first');
  expect(sent[1]).toContain('second');
});

test.each([
  ['a refused connection', { connectCode: 5 }],
  ['a refused subscription', { granted: 128 }],
])('%s is named', async (_what, options) => {
  const { warned } = await start(await open(options));
  await until('it is logged', () => warned.length > 0);
  expect(warned[0]).toMatch(/^source\.refused /);
});

test('a subscription that is granted with QoS 0 only is warned of', async () => {
  const { warned } = await start(await open({ granted: 0 }));
  await until('it is logged', () => warned.length > 0);
  expect(warned[0]).toContain('QoS 0');
});
