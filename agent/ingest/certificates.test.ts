import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { hasProgram } from '../../tests/kit/program.js';
import { silentLogger } from '../domain/log.js';
import { createAuthority, createKit, OPTIONS, until } from './broker.fixture.js';
import type { BrokerOptions } from './broker.js';
import { openCertificates } from './certificates.js';

const kit = createKit();
afterEach(kit.close);
const installed = hasProgram('openssl');

function setUp() {
  const dir = kit.directory();
  const authority = createAuthority(dir, 'ca');
  const { certFile, keyFile } = authority.issue('gateway');
  const places = { certFile: join(dir, 'live.pem'), keyFile: join(dir, 'live.key'), caFile: join(dir, 'cas.pem') };
  copyFileSync(certFile, places.certFile);
  copyFileSync(keyFile, places.keyFile);
  copyFileSync(authority.file, places.caFile);
  return { dir, authority, places };
}

const tlsBroker = (places: BrokerOptions['certificateFiles'], clientCertificates: 'off' | 'optional' | 'required') =>
  kit.broker(() => undefined, {
    listeners: [{ kind: 'tls', host: '127.0.0.1', port: 0, encrypted: true, clientCertificates, allowedOrigins: [] }],
    certificateFiles: places,
  });

const serverName = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { subject }: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.once('error', reject);
  });

test.skipIf(!installed)('a key that does not fit stops the start (needs openssl)', () => {
  const { places, authority } = setUp();
  const other = authority.issue('other');
  const surroundings = { readSecret: OPTIONS.readSecret, log: silentLogger, onReload: () => undefined };
  expect(() => openCertificates({ ...places, keyFile: other.keyFile }, surroundings)).toThrow(
    expect.objectContaining({ code: 'tls.unusable' }),
  );
  writeFileSync(places.caFile, 'nothing');
  expect(() => openCertificates(places, surroundings)).toThrow(expect.objectContaining({ code: 'tls.unusable' }));
});

test.skipIf(!installed)('a new certificate serves at once, a broken one never (needs openssl)', async () => {
  const { places, authority } = setUp();
  const broker = await tlsBroker(places, 'off');
  expect(await serverName(broker.port)).toBe('gateway');

  writeFileSync(places.certFile, 'half a file');
  await until(() => broker.reloads.includes('certificate broken'), 'the broken file is noticed');
  expect(await serverName(broker.port)).toBe('gateway');

  const fresh = authority.issue('renewed');
  renameSync(fresh.keyFile, places.keyFile);
  renameSync(fresh.certFile, places.certFile);
  await until(() => broker.reloads.includes('certificate used'), 'the new files are read');
  expect(await serverName(broker.port)).toBe('renewed');
});

test.skipIf(!installed)(
  'two authorities are valid during a change, and the old one not after it (needs openssl)',
  async () => {
    const { dir, places, authority } = setUp();
    const successor = createAuthority(dir, 'ca2');
    const broker = await tlsBroker(places, 'required');
    const comes = async (by: typeof authority, name: string): Promise<boolean> => {
      const { certFile, keyFile } = by.issue(name);
      const shown = { cert: readFileSync(certFile), key: readFileSync(keyFile), rejectUnauthorized: false };
      try {
        const client = await kit.client({ address: broker.address }, { protocol: 'mqtts', ...shown });
        await client.publishAsync(`meters/${name}/reading`, '{}', { qos: 1 });
        return true;
      } catch {
        return false;
      }
    };
    expect(await comes(authority, 'm1')).toBe(true);
    expect(await comes(successor, 'm2')).toBe(false);
    writeFileSync(places.caFile, readFileSync(authority.file, 'utf8') + readFileSync(successor.file, 'utf8'));
    await until(() => broker.reloads.length === 1, 'both authorities are read');
    expect([await comes(authority, 'm3'), await comes(successor, 'm4')]).toEqual([true, true]);
    copyFileSync(successor.file, places.caFile);
    await until(() => broker.reloads.length === 2, 'the old one is gone');
    expect([await comes(authority, 'm5'), await comes(successor, 'm6')]).toEqual([false, true]);
    expect(broker.refused.bad_credentials).toBe(2);
  },
);

test.skipIf(!installed)('WebSocket over TLS, with a certificate or without (needs openssl)', async () => {
  const { places, authority } = setUp();
  const place = { kind: 'websocket', host: '127.0.0.1', port: 0, encrypted: true } as const;
  const broker = await kit.broker(() => undefined, {
    listeners: [{ ...place, clientCertificates: 'optional', allowedOrigins: [] }],
    certificateFiles: places,
  });
  const ca = readFileSync(authority.file);
  const local = await kit.client(broker, { protocol: 'wss', ca });
  await local.publishAsync('meters/any/reading', '{}', { qos: 1 });
  const { certFile, keyFile } = authority.issue('m1');
  const shown = { ca, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const meter = await kit.client(broker, { protocol: 'wss', ...shown });
  await meter.publishAsync('meters/m1/reading', '{}', { qos: 1 });
  const ended = new Promise<void>((resolve) => meter.once('close', () => resolve()));
  meter.publish('meters/any/reading', '{}', { qos: 1 });
  await ended;
  expect(broker.refused).toEqual({ publish_not_allowed: 1 });
});
