import { expect, test } from 'vitest';
import { loadSettings } from './load.js';

const load = (source: string, mqtt = '{}') =>
  loadSettings({ env: { WATTWARDEN_SOURCE: source, WATTWARDEN_MQTT: mqtt } }).source;

test.each([
  ['mqtt://broker', {}],
  ['mqtts://broker.example:8883', { ca_file: '/ca' }],
  ['ws://10.0.0.1:9001/mqtt', {}],
  ['wss://[::1]:9001/mqtt?token=1', { cert_file: '/c', key_file: '/k' }],
])('%s is an address', (url, more) => {
  expect(load(JSON.stringify({ url, ...more })).url).toBe(url);
});

test.each(['http://broker', 'broker:1883', 'mqtt://', 'mqtt://user:secret@broker', 'mqtt://broker:port'])(
  '%s is none',
  (url) => {
    expect(() => load(JSON.stringify({ url }))).toThrow(/source\.url: must be mqtt:\/\//);
  },
);

test.each([
  ['{ password: x, password_file: y, user: u }', 'source.password_file: may not be set together with source.password'],
  ['{ password: x }', 'source.user: must be set where a password is'],
  ['{ url: mqtts://b, cert_file: c }', 'source.key_file: must be set together with source.cert_file'],
  ['{ ca_file: c }', 'source.url: must begin with mqtts:// or wss://'],
  ['{ share_group: a/b }', 'source.share_group: must be 1-64 characters'],
])('%s: %s', (source, line) => {
  expect(() => load(source)).toThrow(line);
});

test('a fault in one key does not hide what the section demands across its keys', () => {
  const both = () => load('{ password: x, keepalive_s: 1 }');
  expect(both).toThrow('source.user: must be set');
  expect(both).toThrow('source.keepalive_s: must be');
});

test('readings must come from somewhere', () => {
  expect(() => load('{}', '{ enabled: false }')).toThrow(
    'mqtt.enabled: may be false only while source.enabled is true',
  );
  expect(load('{ enabled: true }', '{ enabled: false }').enabled).toBe(true);
});
