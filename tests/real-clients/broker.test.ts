import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Authority, createAuthority } from '../../agent/ingest/broker.fixture.js';
import { succeeds } from '../kit/command.js';
import { type LoneGateway, openLoneGateway } from '../kit/lone-gateway.js';
import { hasProgram, runProgram } from '../kit/program.js';
import { until } from '../kit/until.js';

/** mosquitto_pub and mosquitto_sub against a gateway in a process of its own, with users, TLS and certificates. */
const installed = hasProgram('mosquitto_pub') && hasProgram('openssl');

const PROGRAM = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));
let dir: string;
let authority: Authority;
let gateway: LoneGateway;
let tlsPort: string;

beforeAll(async () => {
  if (!installed) return;
  dir = mkdtempSync(join(tmpdir(), 'wattwarden-real-'));
  authority = createAuthority(dir, 'ca');
  const { certFile, keyFile } = authority.issue('gateway');
  const usersFile = join(dir, 'users');
  const tls = { enabled: true, port: 0, cert_file: certFile, key_file: keyFile };
  const certificates = { ca_file: authority.file, client_certificates: 'optional' };
  const mqtt = { port: 0, users_file: usersFile, tls: { ...tls, ...certificates } };
  const config = join(dir, 'users.yaml');
  writeFileSync(config, stringify({ version: 1, mqtt }));
  addUser(config, 'm1', 'first secret');
  addUser(config, 'm2', 'second secret');
  addUser(config, 'ear', 'listens', '--role', 'reader');
  gateway = await openLoneGateway({ models: { enabled: false }, mqtt });
  tlsPort = await until(
    'the TLS listener is open',
    () => /"kind":"tls","address":"127\.0\.0\.1:(\d+)"/.exec(gateway.output())?.[1],
  );
});
afterAll(async () => {
  await gateway?.close();
  if (dir !== undefined) rmSync(dir, { recursive: true });
});

function addUser(config: string, name: string, password: string, ...more: readonly string[]): void {
  const given = [PROGRAM, 'users', 'add', name, '--config', config, ...more];
  const { status, stderr } = spawnSync(process.execPath, given, { input: `${password}\n`, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const plain = (): readonly string[] => ['-h', '127.0.0.1', '-p', gateway.mqtt.split(':')[1] ?? '', '-V', '311'];
const secure = (): readonly string[] => ['-h', '127.0.0.1', '-p', tlsPort, '-V', '311', '--cafile', authority.file];
const m1 = ['-u', 'm1', '-P', 'first secret'];
const reading = (meter: string) => ['-t', `meters/${meter}/reading`, '-q', '1', '-m', '{"power_w": 42}'];
const pub = (...given: readonly string[]) => runProgram('mosquitto_pub', ...given);

async function stored(meter: string): Promise<number> {
  const rows = await succeeds('readings', '--json', '-m', meter, '--config', gateway.config).catch(() => '[]');
  return (JSON.parse(rows) as unknown[]).length;
}

describe.skipIf(!installed)('with users and TLS (needs mosquitto_pub)', () => {
  test.each(['0', '1', '2'])('a meter with its password, QoS %s', async (qos) => {
    const before = await stored('m1');
    expect(await pub(...plain(), ...m1, '-t', 'meters/m1/reading', '-q', qos, '-m', `{"power_w": 4${qos}}`)).toEqual({
      code: 0,
      output: '',
    });
    await until('it is stored', async () => (await stored('m1')) === before + 1);
  });

  test('the same over TLS', async () => {
    const before = await stored('m1');
    expect(await pub(...secure(), ...m1, ...reading('m1'))).toEqual({ code: 0, output: '' });
    await until('it is stored', async () => (await stored('m1')) === before + 1);
  });

  test.each(['plain', 'tls'])('a wrong password, and none at all (%s)', async (how) => {
    const to = how === 'tls' ? secure() : plain();
    const wrong = await pub(...to, '-u', 'm1', '-P', 'guess', ...reading('m1'));
    expect(wrong).toMatchObject({ code: 4, output: expect.stringMatching(/bad user ?name or password/i) });
    const none = await pub(...to, ...reading('m1'));
    expect(none).toMatchObject({ code: 5, output: expect.stringMatching(/not authori[sz]ed/i) });
  });

  test("someone else's topic is not stored, and the connection ends", async () => {
    const { code } = await pub(...plain(), ...m1, ...reading('m2'));
    expect(code).not.toBe(0);
    expect(await stored('m2')).toBe(0);
    const heard = await runProgram('mosquitto_sub', ...plain(), ...m1, '-t', 'meters/m2/#', '-W', '2', '-q', '1');
    expect(heard.output).toMatch(/denied|rejected|not authori[sz]ed/i);
  });

  test('a client certificate is name and password in one', async () => {
    const { certFile, keyFile } = authority.issue('m9');
    const shown = ['--cert', certFile, '--key', keyFile];
    expect(await pub(...secure(), ...shown, ...reading('m9'))).toEqual({ code: 0, output: '' });
    await until('it is stored', async () => (await stored('m9')) === 1);
    expect((await pub(...secure(), ...shown, ...reading('m1'))).code).not.toBe(0);
    expect((await pub(...secure(), ...shown, ...m1, ...reading('m1'))).code).toBe(4);
  });

  test('a certificate of a stranger does not pass', async () => {
    const { certFile, keyFile } = createAuthority(dir, 'stranger').issue('m1');
    const before = await stored('m1');
    expect((await pub(...secure(), '--cert', certFile, '--key', keyFile, ...reading('m1'))).code).not.toBe(0);
    expect(await stored('m1')).toBe(before);
  });

  test('mosquitto_sub hears the status of the gateway', async () => {
    const ear = ['-u', 'ear', '-P', 'listens', '-t', 'wattwarden/+/status', '-C', '1', '-W', '10'];
    const { code, output } = await runProgram('mosquitto_sub', ...plain(), ...ear);
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ state: 'online' });
  });

  test('a user who is removed on the command line is out within seconds', async () => {
    await succeeds('users', 'remove', 'm2', '--config', join(dir, 'users.yaml'));
    const list = await succeeds('users', 'list', '--json', '--config', join(dir, 'users.yaml'));
    expect(JSON.parse(list)).toMatchObject([
      { name: 'm1', role: 'meter' },
      { name: 'ear', role: 'reader' },
    ]);
    await until('he is refused', async () => {
      const { code } = await pub(...plain(), '-u', 'm2', '-P', 'second secret', ...reading('m2'));
      return code === 4;
    });
  });
});
