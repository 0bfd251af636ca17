import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { silentLogger } from '../../agent/domain/log.js';
import { SLOT_MS } from '../../agent/domain/slot.js';
import { type Connection, connect } from '../../cloud-sync/timescale/connection.js';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../../scripts/embedded-postgres.js';
import { createFleet, type SimulatedMeter } from '../../scripts/simulator/fleet.js';
import { type RunningGateway, startGateway, succeeds } from '../kit/command.js';
import { until } from '../kit/until.js';

/**
 * The loop, once around, on real processes: publish → PUBACK → row in PostgreSQL → retrain → release → pull → forecast
 * with the new version; with the gateway killed in the middle of it.
 */

const DAY_MS = 86_400_000;
/** Kept back until the new model serves, so that there is something left to forecast. */
const KEPT_SLOTS = 3;

let dir = '';
let server: EmbeddedPostgres;
let centre: Connection;
let gateway: RunningGateway;
let config = '';
let centreConfig = '';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-loop-'));
  server = await openEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: silentLogger, throwaway: true });
  centreConfig = join(dir, 'centre.yaml');
  const address = {
    port: server.port,
    user: server.superuser,
    password_file: server.passwordFile,
    tls: { mode: 'off' },
  };
  await writeFile(centreConfig, stringify({ version: 1, centre: { ...address, keys_dir: join(dir, 'keys') } }));
  await succeeds('cloud', 'init', '--config', centreConfig);
  await succeeds('cloud', 'add-gateway', 'gw-1', '--out', dir, '--config', centreConfig);

  config = join(dir, 'gw-1.yaml');
  const enrolment = parse(await readFile(config, 'utf8')) as { sync: object; models: object };
  const settings = {
    ...enrolment,
    gateway: { name: 'gw-1', data_dir: join(dir, 'data') },
    mqtt: { port: 0 },
    http: { port: 0 },
    buffer: { slot_grace_s: 0 },
    sync: { ...enrolment.sync, interval_s: 0.2 },
    models: { ...enrolment.models, pull_interval_s: 86_400 },
  };
  await writeFile(config, stringify(settings), { mode: 0o600 });
  gateway = await startGateway(config);
  // The gateway that takes its place must be found where the meters have known this one.
  const port = Number(gateway.mqtt.split(':')[1]);
  await writeFile(config, stringify({ ...settings, mqtt: { port } }), { mode: 0o600 });
  centre = await connect({
    host: server.host,
    port: server.port,
    database: 'wattwarden',
    user: server.superuser,
    password: server.password,
    tls: { mode: 'off' },
  });
}, 60_000);

afterAll(async () => {
  await centre?.close();
  await gateway?.stop();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

const rows = (sql: string, ...values: unknown[]) => centre.query(sql, values);
const status = async () =>
  JSON.parse(await succeeds('status', '--json', '--config', config)) as { bundle: { version: string } | null };

test('a reading goes from a meter to the centre and comes back as a model, through a kill', {
  timeout: 240_000,
}, async () => {
  const nowMs = Date.now();
  const lastSlot = Math.floor(nowMs / SLOT_MS) - 1;
  const firstSlot = lastSlot - Math.floor((2.6 * DAY_MS) / SLOT_MS);
  const fleet = createFleet({ customers: 3, feeders: 1, seed: 7, fromMs: firstSlot * SLOT_MS });
  const slots = Array.from({ length: lastSlot - firstSlot + 1 }, (_, index) => firstSlot + index);
  const early = slots.slice(0, -KEPT_SLOTS);
  const late = slots.slice(-KEPT_SLOTS);

  // Publish, and kill the gateway in the middle of it.
  const acknowledged = new Set<string>();
  const clients = await Promise.all(fleet.map(({ id }) => persistentClient(gateway.mqtt, id)));
  const publishing = publish({ fleet, clients, slots: early, acknowledged });
  await until('a third is acknowledged', () => acknowledged.size > (early.length * fleet.length) / 3);
  await gateway.kill();
  const atKill = acknowledged.size;
  expect(atKill).toBeLessThan(early.length * fleet.length);
  gateway = await startGateway(config);
  await publishing;
  expect(acknowledged.size).toBe(early.length * fleet.length);

  // Every acknowledged reading is at the centre, once.
  const atCentre = await until('every acknowledged reading is at the centre', async () => {
    const found = await rows(
      'select meter, (extract(epoch from taken_at) * 1000)::bigint as at from wattwarden_data.reading',
    );
    return found.length >= acknowledged.size && found;
  });
  expect(atCentre.map((row) => `${row['meter']} ${row['at']}`).sort()).toEqual([...acknowledged].sort());

  // Slots, forecasts and scores of the model that came with the gateway.
  const shipped = (await until('a model serves', async () => (await status()).bundle ?? undefined)).version;
  await until('all slots are at the centre, scored', async () => {
    const [found] = await rows('select count(*) as slots, count(score_e4) as scored from wattwarden_data.slot');
    return found?.['slots'] === early.length * fleet.length && Number(found['scored']) > found['slots'] / 2;
  });
  await until('a forecast of each meter is at the centre', async () => {
    const found = await rows('select distinct meter from wattwarden_data.forecast where model_version = $1', shipped);
    return found.length === fleet.length;
  });

  // The centre trains on them, signs and releases; the gateway verifies and loads.
  const trained = JSON.parse(
    await succeeds('cloud', 'retrain', '--release', '--json', '--out', join(dir, 'bundles'), '--config', centreConfig),
  ) as { version: string };
  await succeeds('sync', '--config', config);
  await until('the new model serves', async () => (await status()).bundle?.version === trained.version);
  await publish({ fleet, clients, slots: late, acknowledged });
  await until('a forecast of each meter names the new version', async () => {
    const found = await rows(
      'select distinct meter from wattwarden_data.forecast where model_version = $1',
      trained.version,
    );
    return found.length === fleet.length;
  });

  // A release with a flipped bit is refused, and the one before it serves on.
  const damaged = JSON.parse(
    await succeeds(
      'cloud',
      'retrain',
      '--release',
      '--json',
      '--seed',
      '2',
      '--out',
      join(dir, 'bundles'),
      '--config',
      centreConfig,
    ),
  ) as { version: string };
  await flipBit(damaged.version);
  await succeeds('sync', '--config', config);
  await until('the damaged release is refused', () => gateway.output().includes('bundle.hash_mismatch'));
  expect((await status()).bundle?.version).toBe(trained.version);

  for (const client of clients) await client.endAsync(true);
  expect(await gateway.stop()).toBe(0);
});

/** Keeps what is not acknowledged, as a meter with a memory does, and sends it again after a reconnection. */
function persistentClient(mqtt: string, id: string): Promise<MqttClient> {
  return connectAsync(`mqtt://${mqtt}`, { clientId: `meter-${id}`, clean: false, reconnectPeriod: 100 }).then(
    (client) => {
      client.on('error', () => undefined); // the gateway is killed on purpose
      return client;
    },
  );
}

interface Publishing {
  readonly fleet: readonly SimulatedMeter[];
  readonly clients: readonly MqttClient[];
  readonly slots: readonly number[];
  readonly acknowledged: Set<string>;
}

async function publish({ fleet, clients, slots, acknowledged }: Publishing): Promise<void> {
  await Promise.all(
    fleet.map(async (meter, index) => {
      for (const slot of slots) {
        const reading = meter.at(slot * SLOT_MS + SLOT_MS / 2);
        await clients[index]?.publishAsync(`meters/${meter.id}/reading`, JSON.stringify(reading), { qos: 1 });
        acknowledged.add(`${meter.id} ${reading.ts}`);
      }
    }),
  );
}

async function flipBit(version: string): Promise<void> {
  await rows('alter table wattwarden_data.release_file disable trigger all');
  const changed = await rows(
    `update wattwarden_data.release_file set content = set_bit(content, 800, 1 - get_bit(content, 800))
     where version = $1 and name like '%int8%' returning name`,
    version,
  );
  expect(changed).toHaveLength(1);
}
