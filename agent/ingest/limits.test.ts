import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  connectPacket,
  createKit,
  LIMITS,
  OPTIONS,
  publishPacket,
  pubrelPacket,
  received,
  subscribePacket,
  type TestBroker,
  until,
} from './broker.fixture.js';
import type { BrokerLimits } from './broker.js';
import type { Publication } from './publication.js';

const kit = createKit();
afterEach(kit.close);

const start = (limits: Partial<BrokerLimits> = {}, stored: Publication[] = []): Promise<TestBroker> =>
  kit.broker((batch) => void stored.push(...batch), { limits: { ...LIMITS, ...limits } });

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('close', () => resolve());
    socket.resume();
  });

/** Longest time to a PUBACK while something else goes on. */
async function worstLatencyMs(broker: TestBroker, during: Promise<unknown>): Promise<number> {
  const meter = await kit.client(broker);
  let over = false;
  void during.finally(() => {
    over = true;
  });
  let worst = 0;
  do {
    const beganMs = performance.now();
    await meter.publishAsync('meters/honest/reading', '{}', { qos: 1 });
    worst = Math.max(worst, performance.now() - beganMs);
    await turnOfTheLoop();
  } while (!over);
  return worst;
}

test('a packet that announces too much ends the connection before it is gathered', async () => {
  const broker = await start();
  const huge = await kit.raw(
    broker,
    Buffer.concat([connectPacket('huge'), Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]),
  );
  await closed(huge);
  const endless = await kit.raw(broker, Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await closed(endless);
  const bySingleBytes = await kit.raw(broker, connectPacket('slowly'));
  for (const byte of [0x30, 0x81, 0x80, 0x04]) {
    bySingleBytes.write(Buffer.from([byte]));
    await delay(10);
  }
  await closed(bySingleBytes);
  expect(broker.refused.packet_too_large).toBe(3);
});

test('a largest packet still passes, in pieces of any size', async () => {
  const stored: Publication[] = [];
  const broker = await start({ maxPacketBytes: 5_000 }, stored);
  const bytes = Buffer.concat([
    connectPacket('pieces'),
    publishPacket('meters/a/reading', 'x'.repeat(5_000 - 20), { qos: 1 }),
    publishPacket('meters/a/reading', 'y', { qos: 1, id: 2 }),
  ]);
  const socket = await kit.raw(broker);
  for (let at = 0; at < bytes.length; at += 997) {
    socket.write(bytes.subarray(at, at + 997));
    await turnOfTheLoop();
  }
  await until(() => stored.length === 2, 'both are stored');
  expect(broker.refused).toEqual({});
});

test('who sends no CONNECT, half a packet, or nothing at all is cut off, each for its reason', async () => {
  const broker = await start({ connectTimeoutMs: 300, packetTimeoutMs: 300, maxSilenceMs: 1_500 });
  const mute = await kit.raw(broker);
  const half = await kit.raw(broker, Buffer.concat([connectPacket('half'), Buffer.from([0x30, 0x20, 0])]));
  const still = await kit.raw(broker, connectPacket('still', { keepalive: 0 }));
  await Promise.all([closed(mute), closed(half), closed(still)]);
  expect(broker.refused).toEqual({ connect_timeout: 1, packet_too_slow: 1, silent: 1 });
});

test('slow senders and half-open connections do not delay the others', async () => {
  const broker = await start({ packetTimeoutMs: 1_000 });
  const sockets = await Promise.all(Array.from({ length: 200 }, () => kit.raw(broker)));
  const dribble = async (): Promise<void> => {
    const packet = connectPacket('dribbling');
    for (const byte of packet.subarray(0, 10)) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(Buffer.from([byte]));
      await delay(50);
    }
  };
  expect(await worstLatencyMs(broker, dribble())).toBeLessThan(500);
});

test('connections are bounded in number, and by address', async () => {
  const broker = await start({ maxConnections: 5, maxPerAddress: 3 });
  const sockets = await Promise.all(Array.from({ length: 8 }, () => kit.raw(broker)));
  await until(() => (broker.refused.connections_of_address ?? 0) === 5, 'the rest is refused');
  for (const socket of sockets) socket.destroy();
  await until(() => broker.figures.connections === 0, 'all are gone');
  await kit.client(broker);
});

test('a flood of connections is turned away while others are served', async () => {
  const broker = await start({ perSecond: 10, perSecondPerAddress: 5 });
  const flood = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => kit.raw(broker)));
      for (const socket of sockets) socket.destroy();
    }
  };
  const meter = worstLatencyMs(broker, delay(50).then(flood));
  expect(await meter).toBeLessThan(500);
  expect(broker.refused.connection_rate).toBeGreaterThan(200);
});

test('a subscriber that never reads is cut off, and publishers do not wait for it', async () => {
  const broker = await start({ maxOutgoingBytes: 100_000 });
  const deaf = await kit.raw(broker, Buffer.concat([connectPacket('deaf'), subscribePacket('noise/#')]));
  deaf.pause();
  const speaker = await kit.client(broker);
  const ear = await kit.client(broker);
  let heard = 0;
  ear.on('message', () => (heard += 1));
  await ear.subscribeAsync('noise/#');
  let sent = 0;
  const noise = async (): Promise<void> => {
    while (broker.refused.slow_subscriber === undefined) {
      await speaker.publishAsync('noise/x', Buffer.alloc(20_000), { qos: 1 });
      sent += 1;
    }
  };
  expect(await worstLatencyMs(broker, noise())).toBeLessThan(500);
  await until(() => heard === sent, 'the other subscriber has heard all of it');
  expect(broker.refused.slow_subscriber).toBe(1);
});

test('a topic too long or too deep ends the connection; as a filter it is refused', async () => {
  const broker = await start({ maxTopicLevels: 4, maxTopicBytes: 40 });
  for (const topic of ['a/b/c/d/e', 'x'.repeat(41), 'a\0b']) {
    await closed(await kit.raw(broker, Buffer.concat([connectPacket('deep'), publishPacket(topic, '', { qos: 1 })])));
  }
  const socket = await kit.raw(broker, connectPacket('filters'));
  const answers = received(socket);
  socket.write(subscribePacket('a/b/c/d/e', 'x'.repeat(41), 'a/#/b/c/d', 'a/b'));
  await until(() => answers().length >= 4, 'the CONNACK');
  await delay(50);
  // A filter with # in the middle ends the connection in aedes itself; nothing is granted either way.
  expect((broker.refused.topic ?? 0) + (broker.refused.protocol ?? 0)).toBeGreaterThanOrEqual(5);
});

test('subscriptions, client ids and versions of MQTT have bounds', async () => {
  const broker = await start({ maxSubscriptions: 2, maxClientIdBytes: 30 });
  const client = await kit.client(broker);
  await client.subscribeAsync(['a', 'b']);
  await expect(client.subscribeAsync('c')).rejects.toThrow();
  await client.unsubscribeAsync('a');
  await client.subscribeAsync('c');
  await expect(kit.client(broker, { clientId: 'x'.repeat(31) })).rejects.toMatchObject({ code: 2 });
  await expect(kit.client(broker, { protocolVersion: 5 })).rejects.toThrow();
  await expect(kit.client(broker, { clientId: '', clean: false, keepalive: 5 })).rejects.toThrow();
  await until(() => broker.refused.protocol === 1, 'MQTT 5 is counted');
  expect(broker.refused.subscriptions).toBe(1);
});

test('retained messages are bounded in number and bytes; an empty one makes room', async () => {
  const broker = await start({ maxRetained: 3, maxRetainedBytes: 10_000 });
  const client = await kit.client(broker);
  const keep = (topic: string, payload: Buffer) => client.publishAsync(topic, payload, { qos: 1, retain: true });
  for (const topic of ['a', 'b', 'c']) await keep(topic, Buffer.from('x'));
  expect([broker.figures.retained, broker.refused.retained]).toEqual([3, 1]);
  await keep('a', Buffer.alloc(0));
  await keep('b', Buffer.alloc(20_000));
  await keep('d', Buffer.from('y'));
  expect([broker.figures.retained, broker.refused.retained]).toEqual([2, 2]);
});

test('sessions of absent clients are bounded: in number, in messages, in bytes and in time', async () => {
  const broker = await start({ maxSessions: 2, maxQueuedMessages: 3, maxQueuedBytes: 2_500, expiryMs: 1_500 });
  for (const clientId of ['s1', 's2', 's3']) {
    const subscriber = await kit.client(broker, { clientId, clean: false });
    await subscriber.subscribeAsync('news/#', { qos: 1 });
    await subscriber.endAsync();
  }
  await until(() => broker.figures.absentSessions === 2, 'the first one made room');
  const speaker = await kit.client(broker);
  for (let nth = 0; nth < 5; nth += 1) await speaker.publishAsync('news/a', `${nth}`, { qos: 1 });
  expect(broker.refused).toMatchObject({ sessions: 1, queued: 4 });
  await speaker.publishAsync('news/b', Buffer.alloc(5_000), { qos: 1 });
  expect(broker.figures.queuedBytes).toBeLessThanOrEqual(2_500);

  const heard: string[] = [];
  const { connectAsync } = await import('mqtt');
  const back = await connectAsync(`mqtt://${broker.address}`, { clientId: 's3', clean: false, reconnectPeriod: 0 });
  back.on('message', (_topic, payload) => heard.push(payload.toString()));
  await until(() => heard.length === 3, 'what was kept is delivered');
  expect(heard).toEqual(['0', '1', '2']);
  await back.endAsync();
  await until(() => broker.figures.absentSessions === 0, 'they expire');
  expect(broker.figures.queuedBytes).toBe(0);
});

test.each([true, false])(
  'a repeat of a QoS 2 packet is no second reading, until its PUBREL (clean: %s)',
  async (clean) => {
    const stored: Publication[] = [];
    const broker = await start({}, stored);
    const once = publishPacket('meters/a/reading', '{"power_w":1}', { qos: 2, id: 7 });
    const again = publishPacket('meters/a/reading', '{"power_w":1}', { qos: 2, id: 7, dup: true });
    // The repeats come while the commit is under way, and after it.
    const socket = await kit.raw(broker, Buffer.concat([connectPacket('two', { clean }), once, again, again]));
    const answers = received(socket);
    await until(() => answers().length >= 4 + 12, 'three PUBRECs');
    socket.write(again);
    await until(() => answers().length >= 4 + 16, 'the fourth');
    expect(stored).toHaveLength(1);
    if (!clean) {
      socket.destroy();
      await until(() => broker.connections === 0, 'it is gone');
      const back = await kit.raw(broker, Buffer.concat([connectPacket('two', { clean }), again]));
      const answersBack = received(back);
      await until(() => answersBack().length >= 8, 'the PUBREC of the new connection');
      expect(stored).toHaveLength(1);
      back.write(Buffer.concat([pubrelPacket(7), once]));
    } else socket.write(Buffer.concat([pubrelPacket(7), once]));
    await until(() => stored.length === 2, 'after the PUBREL the same id is another packet');
  },
);

test('QoS 2 packets that are never released are bounded', async () => {
  const broker = await start({ maxInflight: 10 });
  const packets = Array.from({ length: 20 }, (_, id) => publishPacket('x', 'y', { qos: 2, id: id + 1 }));
  await closed(await kit.raw(broker, Buffer.concat([connectPacket('hoarder'), ...packets])));
  expect(broker.refused.protocol).toBe(1);
});

test('MQTT over WebSocket: programs may, pages of strangers may not', async () => {
  const websocket = {
    kind: 'websocket',
    host: '127.0.0.1',
    port: 0,
    encrypted: false,
    clientCertificates: 'off',
  } as const;
  const stored: Publication[] = [];
  const broker = await kit.broker((batch) => void stored.push(...batch), {
    ...OPTIONS,
    listeners: [{ ...websocket, allowedOrigins: ['https://ours.example'] }],
  });
  const program = await kit.client(broker, { protocol: 'ws' });
  await program.publishAsync('meters/a/reading', '{}', { qos: 1 });
  expect(stored).toHaveLength(1);
  const from = (origin: string): Promise<string> =>
    new Promise((resolve) => {
      const page = new WebSocket(`ws://${broker.address}`, 'mqtt', { origin });
      page.once('open', () => resolve('open') ?? page.terminate());
      page.once('error', (error) => resolve(error.message));
    });
  expect(await from('https://evil.example')).toMatch(/403/);
  expect(await from('https://ours.example')).toBe('open');
  const plain = await fetch(`http://${broker.address}/`);
  expect(plain.status).toBe(426);
  expect(broker.refused.origin).toBe(1);
});
