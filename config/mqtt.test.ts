import { expect, test } from 'vitest';
import { settingsSchema } from './schema.js';

/** The faults of an `mqtt` section, as `key: message`. */
function faults(mqtt: object): readonly string[] {
  const parsed = settingsSchema.safeParse({ mqtt });
  return parsed.error?.issues.map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`) ?? [];
}

const CERTIFICATE = { cert_file: 'c', key_file: 'k' };
const ANYWHERE = '0.0.0.0';

test('beyond loopback nothing listens without authentication', () => {
  expect(faults({ host: ANYWHERE })).toEqual([
    expect.stringMatching(/^host: .*only with mqtt\.users_file$/),
    expect.stringMatching(/^host: .*allow_passwords_readable_on_the_network/),
  ]);
  expect(faults({ tls: { enabled: true, host: ANYWHERE, ...CERTIFICATE } })).toEqual([
    expect.stringMatching(/^tls\.host: .*mqtt\.users_file.* or mqtt\.tls\.client_certificates/),
  ]);
  expect(faults({ websocket: { enabled: true, host: ANYWHERE } })).toHaveLength(2);
});

test('beyond loopback passwords go through TLS, or through a key that names the risk', () => {
  const users = { users_file: 'users' };
  expect(faults({ ...users, host: ANYWHERE })).toEqual([expect.stringMatching(/^host: .*better use mqtt\.tls$/)]);
  expect(faults({ ...users, host: ANYWHERE, allow_passwords_readable_on_the_network: true })).toEqual([]);
  expect(faults({ ...users, tls: { enabled: true, host: ANYWHERE, ...CERTIFICATE } })).toEqual([]);
  const websocket = { enabled: true, host: ANYWHERE, tls: true };
  expect(faults({ ...users, websocket, tls: CERTIFICATE })).toEqual([]);
});

test('client certificates are authentication, where there is an authority to check them', () => {
  const tls = { enabled: true, host: ANYWHERE, ...CERTIFICATE, client_certificates: 'required' };
  expect(faults({ tls })).toEqual([expect.stringMatching(/^tls\.ca_file: must be given/)]);
  expect(faults({ tls: { ...tls, ca_file: 'ca' } })).toEqual([]);
});

test('TLS without certificate or key is named', () => {
  expect(faults({ tls: { enabled: true } })).toEqual([
    'tls.cert_file: must be given where a listener uses TLS',
    'tls.key_file: must be given where a listener uses TLS',
  ]);
});

test('a listener that is off demands nothing', () => {
  expect(faults({ tcp: false, host: ANYWHERE, tls: { host: ANYWHERE }, websocket: { host: ANYWHERE } })).toEqual([]);
});

test('the topics of roles are filters', () => {
  const meter = (publish: string) => faults({ roles: { meter: { publish: [publish] } } });
  for (const fine of ['#', 'a/#', '+/b', 'meters/%u/#', 'a//b', '/']) expect(meter(fine)).toEqual([]);
  for (const wrong of ['a#', 'a/#/b', 'a+', '']) expect(meter(wrong)).not.toEqual([]);
});
