import { connect } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { connectPacket, createKit, publishPacket, received, until } from './broker.fixture.js';

const kit = createKit();
afterEach(kit.close);

const CONNACK_BYTES = 4;

test('PUBACKs come in the order of the packets, whether somebody hears these or not', async () => {
  const broker = await kit.broker();
  const listener = await kit.client(broker);
  await listener.subscribeAsync('meters/heard/reading', { qos: 1 });
  const meter = await kit.raw(broker, connectPacket('meter'));
  const answers = received(meter);
  await until(() => answers().length >= CONNACK_BYTES, 'it is connected');
  const ids = Array.from({ length: 60 }, (_, index) => index + 1);
  const topicOf = (id: number): string => `meters/${id % 3 === 0 ? 'heard' : 'alone'}/reading`;

  meter.write(Buffer.concat(ids.map((id) => publishPacket(topicOf(id), '{}', { qos: 1, id }))));

  await until(() => answers().length >= CONNACK_BYTES + 4 * ids.length, 'all are acknowledged');
  expect(ids.map((_, index) => answers().readUInt16BE(CONNACK_BYTES + 4 * index + 2))).toEqual(ids);
});

test('a reading is heard with its QoS by who is there and by who comes back, until nobody wants it', async () => {
  const broker = await kit.broker();
  const absent = { clientId: 'absent', clean: false };
  const leaving = await kit.client(broker, absent);
  await leaving.subscribeAsync('meters/+/reading', { qos: 1 });
  await leaving.endAsync();
  const present = await kit.client(broker);
  const heard: string[] = [];
  present.on('message', (_topic, payload, { qos }) => heard.push(`${payload} with QoS ${qos}`));
  await present.subscribeAsync(['meters/a/#', 'meters/a/reading'], { qos: 1 });
  const meter = await kit.client(broker);
  const publish = async (payload: string) => await meter.publishAsync('meters/a/reading', payload, { qos: 1 });

  await publish('1');
  await present.unsubscribeAsync('meters/a/reading');
  await publish('2');
  await present.unsubscribeAsync('meters/a/#');
  await publish('3');
  expect(heard).toEqual(['1 with QoS 1', '2 with QoS 1']);

  // What was kept comes right behind the CONNACK.
  const back = connect(`mqtt://${broker.address}`, absent);
  const kept: string[] = [];
  back.on('message', (_topic, payload, { qos }) => kept.push(`${payload} with QoS ${qos}`));
  await until(() => kept.length >= 3, 'what was kept for it has come');
  await back.endAsync(true);
  expect(kept).toEqual(['1 with QoS 1', '2 with QoS 1', '3 with QoS 1']);
});
