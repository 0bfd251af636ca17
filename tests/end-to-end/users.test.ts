import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { succeeds } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { until } from '../kit/until.js';

let dir = '';
let gateway: LoneGateway;
const clients: MqttClient[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-users-'));
  await writeFile(join(dir, 'users'), '# nobody yet\n', { mode: 0o600 });
  gateway = await openLoneGateway({
    mqtt: { port: 0, users_file: join(dir, 'users') },
    feeds: { enabled: ['native', 'tasmota', 'zigbee2mqtt'], time_zone: 'UTC' },
    models: { enabled: false },
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  await gateway?.close();
  await rm(dir, { recursive: true });
});

/** As docs/feeds.md has it; the running gateway learns of the user by itself. */
async function userWith(name: string, ...given: readonly string[]): Promise<MqttClient> {
  const password = (await succeeds('users', 'add', name, '--generate', '--config', gateway.config, ...given)).trim();
  return await until(
    `${name} is let in`,
    async () => {
      const client = await connectAsync(`mqtt://${gateway.mqtt}`, { username: name, password, reconnectPeriod: 0 });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    { everyMs: 500 },
  );
}

const stored = async (): Promise<string[]> => {
  const rows = JSON.parse(await succeeds('readings', '--json', '--config', gateway.config)) as { meter: string }[];
  return rows.map(({ meter }) => meter).sort();
};

test('devices in their own format publish as users, and to nobody else’s topics', async () => {
  const plug = await userWith('plug1', '-t', 'tele/plug1/#', '-t', 'stat/plug1/#', '-t', 'tasmota/discovery/#');
  await plug.publishAsync('stat/plug1/RESULT', '{"POWER":"ON"}', { qos: 1 });
  const time = new Date().toISOString().slice(0, 19);
  await plug.publishAsync('tele/plug1/SENSOR', `{"Time":"${time}","ENERGY":{"Total":9098.245,"Power":170}}`, {
    qos: 1,
  });
  const bridge = await userWith('bridge', '--role', 'gateway', '-t', 'zigbee2mqtt/#');
  await bridge.publishAsync('zigbee2mqtt/bridge/state', '{"state":"online"}', { qos: 1 });
  await bridge.publishAsync('zigbee2mqtt/Freezer', '{"power":66,"voltage":231,"energy":12.34}', { qos: 1 });
  expect(await stored()).toEqual(['tasmota:plug1', 'z2m:Freezer']);

  const ended = new Promise<void>((resolve) => bridge.once('close', () => resolve()));
  bridge.publish('tele/plug1/SENSOR', '{"ENERGY":{"Power":1}}', { qos: 1 });
  await ended;
  expect(await stored()).toHaveLength(2);
});

test('the role of a gateway covers the topics of the enabled feeds', async () => {
  const hub = await userWith('hub', '--role', 'gateway');
  await hub.publishAsync('meters/a/reading', '{"power_w":1}', { qos: 1 });
  await hub.publishAsync('zigbee2mqtt/Lamp', '{"power":5}', { qos: 1 });
  expect(await stored()).toEqual(['a', 'z2m:Lamp']);
});
