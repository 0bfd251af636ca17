import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSettings } from './load.js';
import { printSettings } from './print.js';
import { readSecret } from './secrets.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wattwarden-secrets-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function secretFile(text: string, mode = 0o600): string {
  const file = join(directory, 'password');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const unreadable = (words: string) =>
  expect.objectContaining({ code: 'secret.unreadable', message: expect.stringContaining(words) });

test('a secret stands in place, in a file, or nowhere', () => {
  expect(readSecret({ password: 'x' }, 'password')).toBe('x');
  expect(readSecret({ password_file: secretFile('from file\n') }, 'password')).toBe('from file');
  expect(readSecret({}, 'password')).toBeUndefined();
});

test('only the last line break is not part of it', () => {
  expect(readSecret({ password_file: secretFile(' a b \n\n') }, 'password')).toBe(' a b \n');
  expect(readSecret({ password_file: secretFile('a\r\n') }, 'password')).toBe('a');
});

test.each([0o640, 0o604, 0o620, 0o666])('a file that others may open is refused: %o', (mode) => {
  expect(() => readSecret({ password_file: secretFile('hunter2', mode) }, 'password')).toThrow(unreadable('chmod 600'));
});

test('a missing, an empty and a huge file, and a directory', () => {
  expect(() => readSecret({ password_file: join(directory, 'none') }, 'password')).toThrow(unreadable('ENOENT'));
  expect(() => readSecret({ password_file: secretFile('\n') }, 'password')).toThrow(unreadable('is empty'));
  expect(() => readSecret({ password_file: secretFile('x'.repeat(70_000)) }, 'password')).toThrow(
    unreadable('larger than'),
  );
  expect(() => readSecret({ password_file: directory }, 'password')).toThrow(unreadable('not a file'));
});

test('what is printed can be loaded again, without the secrets', () => {
  const settings = loadSettings({
    env: { WATTWARDEN_SYNC_PASSWORD: 'hunter2', WATTWARDEN_CENTRE_PASSWORD: 'hunter3' },
  });
  const printed = printSettings(settings);
  expect(printed).not.toContain('hunter');
  expect(printed).toContain('password: "[secret]"');
  const file = join(directory, 'printed.yaml');
  writeFileSync(file, printed, { mode: 0o600 });
  const again = loadSettings({
    file,
    env: { WATTWARDEN_SYNC_PASSWORD: 'hunter2', WATTWARDEN_CENTRE_PASSWORD: 'hunter3' },
  });
  expect(again).toEqual(settings);
});
