import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleFile } from './example.js';
import { KEYS } from './keys.js';
import { loadSettings } from './load.js';
import { referencePage, referenceText } from './reference.js';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'wattwarden-example-')), 'config.yaml');
});
afterEach(() => rmSync(join(file, '..'), { recursive: true }));

function loaded(text: string) {
  writeFileSync(file, text, { mode: 0o600 });
  return loadSettings({ file, env: {} });
}

test('the example is valid as it stands and says nothing but the defaults', () => {
  expect(loaded(exampleFile())).toEqual(loaded('version: 1\n'));
});

test('with every key taken out of its comment it still says the defaults', () => {
  const names = new Set(KEYS.map(({ path }) => path.at(-1)));
  const uncommented = exampleFile().replaceAll(/^( *)# ([a-z_]+):/gm, (line, indent: string, name: string) =>
    names.has(name) ? `${indent}${name}:` : line,
  );
  expect(uncommented).toContain('\n  port: 1883\n');
  expect(loaded(uncommented)).toEqual(loaded('version: 1\n'));
});

test.each(KEYS.map((key) => [key.path.join('.'), key] as const))('%s stands in example and reference', (name, key) => {
  expect(exampleFile()).toMatch(new RegExp(`^ *(# )?${key.path.at(-1)}:`, 'm'));
  expect(referenceText()).toContain(`${name}\n    ${key.documentation}`);
  if (key.environment === undefined) return;
  expect(referencePage()).toContain(key.environment);
});
