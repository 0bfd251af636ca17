import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS, type Migration, upgradeFile } from './migrations.js';
import { CONFIG_VERSION } from './schema.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wattwarden-migrations-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const STEPS: readonly Migration[] = [
  {
    from: 1,
    what: 'mqtt.port is mqtt.listen',
    apply(document) {
      document.setIn(['mqtt', 'listen'], document.getIn(['mqtt', 'port']));
      document.deleteIn(['mqtt', 'port']);
    },
  },
  { from: 2, what: 'log is gone', apply: (document) => void document.delete('log') },
];

test('there is a step from every version to the next', () => {
  expect(MIGRATIONS.map(({ from }) => from)).toEqual(
    Array.from({ length: CONFIG_VERSION - 1 }, (_, index) => index + 1),
  );
});

test('an older file is rewritten with its comments, and kept as it was beside it', () => {
  const file = join(directory, 'config.yaml');
  const old = '# mine\nversion: 1\nmqtt:\n  # why\n  host: localhost\n  port: 1884\nlog: {}\n';
  writeFileSync(file, old, { mode: 0o600 });
  expect(upgradeFile(file, STEPS)).toEqual({
    steps: ['version 1 to 2: mqtt.port is mqtt.listen', 'version 2 to 3: log is gone'],
    backup: `${file}.v1.bak`,
  });
  expect(readFileSync(file, 'utf8')).toBe('# mine\nversion: 3\nmqtt:\n  # why\n  host: localhost\n  listen: 1884\n');
  expect(readFileSync(`${file}.v1.bak`, 'utf8')).toBe(old);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory).sort()).toEqual(['config.yaml', 'config.yaml.v1.bak']);
});

test('a file of the newest version is left alone, and a backup is never overwritten', () => {
  const file = join(directory, 'config.yaml');
  writeFileSync(file, 'version: 3\n');
  expect(upgradeFile(file, STEPS)).toEqual({ steps: [], backup: undefined });
  writeFileSync(file, 'version: 1\n');
  writeFileSync(`${file}.v1.bak`, 'precious');
  expect(() => upgradeFile(file, STEPS)).toThrow(/EEXIST/);
  expect(readFileSync(file, 'utf8')).toBe('version: 1\n');
});
