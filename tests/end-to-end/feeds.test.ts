import { readFile } from 'node:fs/promises';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { succeeds, wattwarden } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';

/** The mapping and the message that docs/feeds.md explains. */
const page = await readFile(new URL('../../docs/feeds.md', import.meta.url), 'utf8');
const block = (language: string, holds: string): string =>
  [...page.matchAll(/```([a-z]*)\n(.*?)```/gs)].find(
    ([, kind, text]) => kind === language && text?.includes(holds),
  )?.[2] ?? '';
const TOPIC = 'plant/north/meters/7';
const MESSAGE = block('json', 'p_kw');

let gateway: LoneGateway;
beforeAll(async () => {
  const { feeds } = parse(block('yaml', 'custom:')) as { feeds: object };
  gateway = await openLoneGateway({ feeds: { ...feeds, enabled: ['native', 'tasmota', 'zigbee2mqtt'] } });
});
afterAll(() => gateway?.close());

test('`feeds try` says what docs/feeds.md says', async () => {
  const screen = await succeeds('feeds', 'try', '--config', gateway.config, '--topic', TOPIC, '--payload', MESSAGE);
  expect(screen.split('\n\n')).toEqual([
    'The feed plant takes it.',
    expect.stringMatching(
      /plant:north:7\ntime +2025-07-15 10:30:00.000 UTC\nimportWh +2336278\nexportWh +12500\n(.*\n)*flags +tamper$/,
    ),
    expect.stringMatching(/plant:north:7:0\n(.*\n)*powerW +330\n(.*\n)*flags +tamper$/),
    expect.stringMatching(/plant:north:7:2\n(.*\n)*powerW +1200\n(.*\n)*flags +tamper\n$/),
  ]);
});

test('what no feed takes ends with a failure', async () => {
  const { code, stdout } = await wattwarden(
    'feeds',
    'try',
    '--config',
    gateway.config,
    '--topic',
    'dsmr/json',
    '--payload',
    '{}',
  );
  expect([code, stdout]).toEqual([1, expect.stringContaining('Not enabled, but would know it: dsmr-reader')]);
});

test('messages of three feeds are stored by a running gateway; lamps, states and other topics are not', async () => {
  const client = await connectAsync(`mqtt://${gateway.mqtt}`);
  const now = new Date(Date.now() - 1_000).toISOString();
  const messages: readonly (readonly [string, string])[] = [
    ['meters/m1/reading', '{"power_w":1}'],
    ['tele/plug1/SENSOR', `{"Time":"${now}","ENERGY":{"Total":1.5,"Power":[8.15,0]}}`],
    ['tele/plug1/LWT', 'Online'],
    ['zigbee2mqtt/Living room/Freezer', '{"power":66,"energy":12.34}'],
    ['zigbee2mqtt/Lamp', '{"state":"ON"}'],
    ['zigbee2mqtt/bridge/state', 'online'],
    ['dsmr/json', '{"electricity_currently_delivered":"1.143"}'],
  ];
  for (const [topic, payload] of messages) await client.publishAsync(topic, payload, { qos: 1 });
  await client.endAsync();
  const rows = JSON.parse(await succeeds('readings', '--json', '--config', gateway.config)) as readonly {
    meter: string;
  }[];
  expect(rows.map(({ meter }) => meter).sort()).toEqual([
    'm1',
    'tasmota:plug1',
    'tasmota:plug1:1',
    'tasmota:plug1:2',
    'z2m:Living.20room.2fFreezer',
  ]);
  const rejected = JSON.parse(await succeeds('rejected', '--json', '--config', gateway.config)) as { rows: unknown };
  expect(rejected.rows).toEqual([]);
});
