import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createAuthority } from '../kit/certificates.js';
import { startGateway } from '../kit/command.js';
import { freePort } from '../kit/free-port.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { type Mosquitto, openMosquitto } from '../kit/mosquitto.js';
import { hasProgram, runProgram } from '../kit/program.js';
import { openRawMeter, type RawMeter } from '../kit/raw-meter.js';
import { compare, storedValues } from '../kit/stored.js';
import { until } from '../kit/until.js';

const real = test.skipIf(!hasProgram('mosquitto') || !hasProgram('mosquitto_pub'));

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function openBroker(options: Parameters<typeof openMosquitto>[0] = {}): Promise<Mosquitto> {
  const mosquitto = await openMosquitto(options);
  opened.push(mosquitto.close);
  return mosquitto;
}

async function openGateway(source: object): Promise<LoneGateway> {
  const lone = await openLoneGateway({
    models: { enabled: false },
    mqtt: { enabled: false },
    source: { enabled: true, max_retry_s: 1, ...source },
  });
  opened.push(lone.close);
  return lone;
}

const subscribed = (gateway: LoneGateway) =>
  until('it has subscribed', () => gateway.output().includes('subscribed at the broker'));
const says = (gateway: LoneGateway, words: string) => until(words, () => gateway.output().includes(words));
const valuesOf = (gateway: LoneGateway, meter: string) =>
  storedValues(join(gateway.dir, 'data', 'buffer.sqlite')).get(meter) ?? [];

function openMeter(port: number, name = 'a', ownTime = true): RawMeter {
  const meter = openRawMeter({ name, port, qos: 1, ownTime, everyMs: 2 });
  opened.push(() => meter.close());
  return meter;
}

async function allStored(meter: RawMeter, gateway: LoneGateway): Promise<void> {
  await meter.drain();
  await until('all is stored', () => new Set(valuesOf(gateway, meter.name)).size >= meter.made);
  const { lost, twice } = compare(meter.acknowledged, valuesOf(gateway, meter.name));
  expect({ lost, twice }).toEqual({ lost: [], twice: 0 });
}

const pub = async ({ port }: Mosquitto, ...given: readonly string[]) => {
  const ended = await runProgram('mosquitto_pub', '-h', '127.0.0.1', '-p', String(port), ...given);
  expect(ended).toEqual({ code: 0, output: '' });
};

async function metrics({ http }: LoneGateway): Promise<string> {
  return await (await fetch(`${http}/metrics`)).text();
}

real.each(['3.1.1', '5'])('Mosquitto with its default limits, MQTT %s (needs mosquitto)', async (protocol) => {
  const mosquitto = await openBroker();
  const gateway = await openGateway({ url: mosquitto.url, protocol });
  await subscribed(gateway);
  const meter = openMeter(mosquitto.port);
  await until('a few have been sent', () => meter.acknowledged.length > 200);
  await allStored(meter, gateway);
  expect(await metrics(gateway)).toContain('wattwarden_source_connections 1');
});

real.each(['3.1.1', '5'])('Mosquitto restarts, MQTT %s (needs mosquitto)', async (protocol) => {
  const mosquitto = await openBroker();
  const gateway = await openGateway({ url: mosquitto.url, protocol });
  await subscribed(gateway);
  const meter = openMeter(mosquitto.port);
  await until('some are acknowledged', () => meter.acknowledged.length > 50);
  await mosquitto.stop();
  await says(gateway, 'source.lost');
  await says(gateway, 'source.unreachable');
  await mosquitto.start();
  const before = meter.acknowledged.length;
  await until('more are acknowledged', () => meter.acknowledged.length > before + 50);
  await allStored(meter, gateway);
  expect(await metrics(gateway)).toContain('wattwarden_loop_failures_total{loop="source"}');
});

real('what was published while the gateway was away is taken when it is back (needs mosquitto)', async () => {
  const mosquitto = await openBroker();
  const gateway = await openGateway({ url: mosquitto.url });
  await subscribed(gateway);
  await gateway.stop();
  for (const value of [1, 2, 3]) {
    await pub(mosquitto, '-t', 'meters/a/reading', '-q', '1', '-m', JSON.stringify({ power_w: value / 10 }));
  }
  const again = await startGateway(gateway.config);
  opened.push(async () => void (await again.stop()));
  await until('they are stored', () => valuesOf(gateway, 'a').length === 3);
  expect(valuesOf(gateway, 'a')).toEqual([1, 2, 3]);
});

real('TLS with a certificate, a user and a password file (needs mosquitto)', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wattwarden-tls-'));
  opened.push(() => rmSync(dir, { recursive: true }));
  const authority = createAuthority(dir);
  const server = authority.issue('server');
  const client = authority.issue('gateway');
  const users = join(dir, 'users');
  const password = join(dir, 'password');
  expect(await runProgram('mosquitto_passwd', '-b', '-c', users, 'gw', 'secret')).toMatchObject({ code: 0 });
  writeFileSync(password, 'secret\n', { mode: 0o600 });
  chmodSync(client.keyFile, 0o600);
  const mosquitto = await openBroker({
    general: [`password_file ${users}`],
    listener: [
      `cafile ${authority.caFile}`,
      `certfile ${server.certFile}`,
      `keyfile ${server.keyFile}`,
      'require_certificate true',
    ],
  });
  const url = `mqtts://127.0.0.1:${mosquitto.port}`;
  const files = { ca_file: authority.caFile, cert_file: client.certFile, key_file: client.keyFile };

  const gateway = await openGateway({ url, ...files, user: 'gw', password_file: password });
  await subscribed(gateway);
  const as = ['--cafile', authority.caFile, '--cert', client.certFile, '--key', client.keyFile, '-u', 'gw', '-P'];
  await pub(mosquitto, ...as, 'secret', '-t', 'meters/a/reading', '-q', '1', '-m', '{"power_w": 0.5}');
  await until('it is stored', () => valuesOf(gateway, 'a').length === 1);

  const stranger = await openGateway({ url, ca_file: createAuthority(dir, 'another').caFile, client_id: 'stranger' });
  await says(stranger, 'source.untrusted');
  writeFileSync(password, 'wrong\n');
  const wrong = await openGateway({ url, ...files, user: 'gw', password_file: password, client_id: 'wrong' });
  await says(wrong, 'source.refused');
  const plain = await openGateway({ url, ...files, cert_file: undefined, key_file: undefined, client_id: 'plain' });
  await until('it is refused', () => /source\.(untrusted|lost|unreachable)/.test(plain.output()));
  expect(plain.output()).not.toContain('subscribed');
});

real('over WebSocket (needs mosquitto)', async () => {
  const port = await freePort();
  const mosquitto = await openBroker({ listener: [`listener ${port} 127.0.0.1`, 'protocol websockets'] });
  const gateway = await openGateway({ url: `ws://127.0.0.1:${port}/mqtt` });
  await subscribed(gateway);
  const meter = openMeter(mosquitto.port);
  await until('some are acknowledged', () => meter.acknowledged.length > 100);
  await allStored(meter, gateway);
});

real('two gateways of one share group have each reading once between them (needs mosquitto)', async () => {
  const mosquitto = await openBroker();
  const source = { url: mosquitto.url, share_group: 'site' };
  const gateways = [
    await openGateway({ ...source, client_id: 'gw-a' }),
    await openGateway({ ...source, client_id: 'gw-b' }),
  ];
  for (const gateway of gateways) await subscribed(gateway);
  const meter = openMeter(mosquitto.port);
  await until('some are acknowledged', () => meter.acknowledged.length > 100);
  await meter.drain();
  const stored = () => gateways.map((gateway) => valuesOf(gateway, 'a'));
  await until('all are stored', () => stored().flat().length >= meter.made);
  expect(compare(meter.acknowledged, stored().flat())).toEqual({ lost: [], twice: 0 });
  for (const values of stored()) expect(values.length).toBeGreaterThan(10);
});

real('a retained reading is no new one; the gateway tells whether it is there (needs mosquitto)', async () => {
  const mosquitto = await openBroker();
  await pub(mosquitto, '-t', 'meters/a/reading', '-q', '1', '-r', '-m', '{"power_w": 99}');
  const gateway = await openGateway({ url: mosquitto.url });
  await subscribed(gateway);
  await pub(mosquitto, '-t', 'meters/a/reading', '-q', '1', '-r', '-m', '{"power_w": 0.1}');
  await until('the fresh one is stored', () => valuesOf(gateway, 'a').length > 0);
  expect(valuesOf(gateway, 'a')).toEqual([1]);
  expect(await metrics(gateway)).toContain('wattwarden_source_ignored_total{why="retained"} 1');

  const status = async () => {
    const given = ['-h', '127.0.0.1', '-p', String(mosquitto.port), '-W', '2', '-C', '1'];
    return (await runProgram('mosquitto_sub', ...given, '-t', 'wattwarden/gateway-1/status')).output.trim();
  };
  expect(await status()).toBe('online');
  await gateway.kill();
  expect(await until('the will is published', async () => (await status()) === 'offline' && 'offline')).toBe('offline');
});

real('QoS 2 in a session that another program left behind (needs mosquitto)', async () => {
  const mosquitto = await openBroker();
  const given = ['-h', '127.0.0.1', '-p', String(mosquitto.port), '-i', 'wattwarden-gateway-1', '-c', '-q', '2'];
  await runProgram('mosquitto_sub', ...given, '-t', 'meters/+/reading', '-E');
  for (const value of [1, 2, 3]) {
    await pub(mosquitto, '-t', 'meters/a/reading', '-q', '2', '-m', JSON.stringify({ power_w: value / 10 }));
  }
  const gateway = await openGateway({ url: mosquitto.url });
  await until('they are stored', () => valuesOf(gateway, 'a').length >= 3);
  await subscribed(gateway);
  await pub(mosquitto, '-t', 'meters/a/reading', '-q', '2', '-m', '{"power_w": 0.4}');
  await until('the next one, too', () => valuesOf(gateway, 'a').length >= 4);
  expect(valuesOf(gateway, 'a')).toEqual([1, 2, 3, 4]);
});
