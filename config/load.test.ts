import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WattwardenError } from '../agent/domain/errors.js';
import type { Environment } from './environment.js';
import { KEYS } from './keys.js';
import { loadSettings } from './load.js';
import { settingsSchema } from './schema.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wattwarden-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function written(text: string, mode = 0o600): string {
  const file = join(directory, 'config.yaml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const load = (text: string, env: Environment = {}) => loadSettings({ file: written(text), env });

/** The code and the lines of the error that loading ends with. */
function faults(run: () => unknown): { code: string; lines: string[] } {
  try {
    run();
  } catch (error) {
    if (error instanceof WattwardenError) return { code: error.code, lines: error.message.split('\n') };
    throw error;
  }
  throw new Error('loaded without a fault');
}

const linesOf = (text: string, env: Environment = {}) => faults(() => load(text, env)).lines;

describe('what is taken', () => {
  test('nothing at all gives the defaults', () => {
    const settings = loadSettings({ env: { PATH: '/bin', WATTWARDEN_SYNC_PASSWORD: '' } });
    expect(settings.mqtt).toEqual(settingsSchema.parse({}).mqtt);
    expect(settings.gateway.data_dir).toBe(join(process.cwd(), 'data'));
    expect(settings.sync.password).toBeUndefined();
  });

  test('the environment stands above the file, and the file above the defaults', () => {
    const settings = load('version: 1\nmqtt: { port: 1884 }\nhttp: { port: 8089 }\n', { WATTWARDEN_MQTT_PORT: '1885' });
    expect([settings.mqtt.port, settings.http.port, settings.mqtt.host]).toEqual([1885, 8089, '127.0.0.1']);
  });

  test('each variable is taken as the type of its key; lists and sections as YAML', () => {
    const settings = loadSettings({
      env: {
        WATTWARDEN_SYNC_ENABLED: 'true',
        WATTWARDEN_SYNC_INTERVAL_S: '0.5',
        WATTWARDEN_SYNC_PASSWORD: '0123',
        WATTWARDEN_METERS_KNOWN: '[{ id: f1, kind: feeder }, { id: m1, feeder: f1 }]',
        WATTWARDEN_VALIDATE_VOLTAGE_V: 'min: 100\nmax: 200',
        WATTWARDEN_VALIDATE_VOLTAGE_V_MAX: '300',
      },
    });
    expect(settings.sync).toMatchObject({ enabled: true, interval_s: 0.5, password: '0123' });
    expect(settings.meters.known).toMatchObject([{ id: 'f1' }, { id: 'm1', kind: 'customer' }]);
    expect(settings.validate.voltage_v).toEqual({ min: 100, max: 300 });
  });

  test('WATTWARDEN_CONFIG names the file where nobody else does', () => {
    const file = written('version: 1\nhttp: { port: 8090 }\n');
    expect(loadSettings({ env: { WATTWARDEN_CONFIG: file } }).http.port).toBe(8090);
  });

  test('a section whose keys are all comments is as good as absent', () => {
    expect(load('version: 1\nmqtt:\n  # port: 1\nsync:\n  tls:\n').mqtt.port).toBe(1883);
  });

  test('a path is relative to the file, from the environment to the working directory', () => {
    const text =
      'version: 1\ngateway: { data_dir: state }\nbuffer: { path: /var/b.sqlite }\nsync: { tls: { ca_file: ca.pem } }\n';
    const settings = load(text, { WATTWARDEN_CENTRE_KEYS_DIR: 'k' });
    expect(settings.gateway.data_dir).toBe(join(directory, 'state'));
    expect(settings.buffer.path).toBe('/var/b.sqlite');
    expect(settings.sync.tls.ca_file).toBe(join(directory, 'ca.pem'));
    expect(settings.centre.keys_dir).toBe(join(process.cwd(), 'k'));
  });

  test('a password in the environment replaces the password file of the configuration, and the reverse', () => {
    const fromEnv = load('version: 1\nsync: { password_file: p }\n', { WATTWARDEN_SYNC_PASSWORD: 'x' });
    expect(fromEnv.sync).toMatchObject({ password: 'x' });
    expect(fromEnv.sync.password_file).toBeUndefined();
    const fromFile = load('version: 1\nsync: { password: x }\n', { WATTWARDEN_SYNC_PASSWORD_FILE: '/p' });
    expect(fromFile.sync.password).toBeUndefined();
    expect(fromFile.sync.password_file).toBe('/p');
  });

  test('every key has a variable of its own', () => {
    const names = KEYS.flatMap(({ environment }) => environment ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('WATTWARDEN_MQTT_PORT');
    expect(KEYS.filter(({ documentation }) => documentation === '')).toEqual([]);
  });
});

describe('faults', () => {
  test('all at once, each with key, rule and value', () => {
    const text = `version: 1
mqtt: { port: 70000, hots: localhost }
gateway: { name: "Über" }
http: { host: 0.0.0.0 }
log: { level: loud }
meters: { known: [{ id: a, kind: pole }, { id: "b c" }, {}, { id: z, ids: 1 }] }
models: { trusted_keys: [abc] }
validate: { voltage_v: { min: 9, max: 3 } }
sync: { interval_s: soon, host: db.example, tls: { mode: off } }
port: 1883
nonsense_beyond_recognition: 1
`;
    expect(linesOf(text, { WATTWARDEN_BUFFER_RETENTION_DAYS: '0', WATTWARDEN_MQTT_PROT: '1' })).toEqual([
      'gateway.name: must be 1-40 characters of a-z 0-9 -, beginning with a letter (got "Über")',
      'mqtt.port: must be a whole number from 0 to 65535 (got 70000)',
      'mqtt.hots: is not a setting; did you mean mqtt.host?',
      'meters.known[0].kind: must be one of customer, feeder (got "pole")',
      'meters.known[1].id: must be 1-64 characters of A-Z a-z 0-9 . _ : -, beginning with a letter or digit (got "b c")',
      'meters.known[2].id: must be given: 1-64 characters of A-Z a-z 0-9 . _ : -, beginning with a letter or digit',
      'meters.known[3].ids: is not a setting; did you mean meters.known[3].id?',
      'validate.voltage_v: must be a range whose min lies below its max (got {"min":9,"max":3})',
      'buffer.retention_days: must be a number from 1 to 4000 (got 0 from WATTWARDEN_BUFFER_RETENTION_DAYS)',
      'models.trusted_keys[0]: must be base64 of the 32 bytes of an Ed25519 public key (got "abc")',
      'sync.interval_s: must be a number from 0.1 to 3600 (got "soon")',
      'sync.tls.mode: may be off only while sync.host is a loopback address (got "off")',
      'http.host: must be a loopback address (127.0.0.1, ::1, localhost), until people can be authenticated (got "0.0.0.0")',
      'log.level: must be one of debug, info, warn, error (got "loud")',
      'port: is not a setting; did you mean mqtt.port?',
      'nonsense_beyond_recognition: is not a setting',
      'WATTWARDEN_MQTT_PROT: is not a setting; did you mean WATTWARDEN_MQTT_PORT?',
    ]);
  });

  test('the same meter twice', () => {
    expect(linesOf('version: 1\nmeters: { known: [{ id: a }, { id: a }] }\n')[0]).toMatch(
      /^meters\.known: must be a list that names each meter once/,
    );
  });

  test('a value of another kind than its key', () => {
    expect(linesOf('version: 1\nmqtt: 5\nmodels: { enabled: "yes" }\nmeters: { known: m1 }\n')).toEqual([
      'mqtt: must be a section with keys of its own (got 5)',
      'meters.known: must be a list of at most 20000 entries (got "m1")',
      'models.enabled: must be true or false (got "yes")',
    ]);
  });

  test.each([
    ['mqtt:\n  port: 1\n  port: 2\n', 'line 4, column 3: this key stands twice in its section'],
    [
      'mqtt: [1\n',
      'line 3, column 1: wrong indentation: keys of one section start in the same column; or a bracket or quote before it stays open',
    ],
    ['mqtt:\n\tport: 1\n', 'line 3, column 1: a tab; YAML is indented with spaces'],
    ['log: !shout x\n', 'line 2, column 6: an unknown tag (!name); put text that begins with ! in quotes'],
  ])('YAML that cannot be read: %j', (text, line) => {
    const { code, lines } = faults(() => load(`version: 1\n${text}`));
    expect(code).toBe('config.invalid');
    expect(lines[0]).toBe(`${join(directory, 'config.yaml')}: ${line}`);
  });

  test.each([
    ['mqtt: {}\n', /version: must be stated; write `version: 1` as the first line$/],
    ['', /version: must be stated/],
    [
      'version: 2\nanything: goes\n',
      /version: must be at most 1; this file was written for a newer wattwarden \(got 2\)$/,
    ],
    ['version: one\n', /version: must be a whole number from 1 to 1$/],
    ['- a\n', /must hold keys and their values$/],
  ])('a version that is not ours: %j', (text, rule) => {
    const { code, lines } = faults(() => load(text));
    expect(code).toBe('config.invalid');
    expect(lines).toEqual([expect.stringMatching(rule)]);
  });

  test('names that objects have by nature are unknown keys like any other', () => {
    const lines = linesOf('version: 1\n__proto__: { mqtt: 1 }\nconstructor: 1\nmqtt: { toString: 1 }\n');
    expect(lines).toEqual([
      'mqtt.toString: is not a setting',
      '__proto__: is not a setting',
      'constructor: is not a setting',
    ]);
  });

  test('a file that cannot be read', () => {
    const missing = faults(() => loadSettings({ file: join(directory, 'none.yaml'), env: {} }));
    expect(missing).toEqual({ code: 'config.unreadable', lines: [expect.stringContaining('ENOENT')] });
    mkdirSync(join(directory, 'folder'));
    expect(faults(() => loadSettings({ file: join(directory, 'folder'), env: {} })).code).toBe('config.unreadable');
    writeFileSync(join(directory, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0xe9]));
    expect(faults(() => loadSettings({ file: join(directory, 'latin.yaml'), env: {} })).code).toBe('config.unreadable');
  });
});

describe('a secret never reaches a message', () => {
  const SECRET = 'hunter2';
  test.each([
    `sync: { password: [${SECRET}] }`,
    `sync: { pasword: ${SECRET} }`,
    `sync: ${SECRET}`,
    `sync: { host: "postgres://me:${SECRET}@centre/x" }`,
    `sync: { password: *${SECRET} }`,
    `sync: { password: !${SECRET} x }`,
    `sync: { password: "\\${SECRET}" }`,
    `sync: { password: %${SECRET} }`,
    `sync: { password: ${SECRET}, password_file: x }`,
    `sync: { password: ${SECRET}${'x'.repeat(2_000)} }`,
    `centre:\n  password: ${SECRET}: y`,
    `sync: { host: h, tls: { mode: off }, password: ${SECRET} }`,
  ])('in a file, %#', (text) => {
    const { code, lines } = faults(() => load(`version: 1\n${text}\n`));
    expect(code).toBe('config.invalid');
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  test.each([
    { WATTWARDEN_SYNC: `{ password: ${SECRET}` },
    { WATTWARDEN_SYNC: SECRET },
    { WATTWARDEN_SYNC_PASWORD: SECRET },
    { WATTWARDEN_SYNC_PASSWORD: SECRET.repeat(500) },
  ])('in the environment, %#', (env) => {
    const { code, lines } = faults(() => loadSettings({ env }));
    expect(code).toBe('config.invalid');
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  test('and does not stand in a file that others may read', () => {
    const file = written(`version: 1\nsync: { password: ${SECRET} }\n`, 0o644);
    expect(faults(() => loadSettings({ file, env: {} })).lines).toEqual([
      'sync.password: may stand in a file only if nobody but its owner can read it (chmod 600), or use sync.password_file',
    ]);
    chmodSync(file, 0o600);
    expect(loadSettings({ file, env: {} }).sync.password).toBe(SECRET);
  });
});
