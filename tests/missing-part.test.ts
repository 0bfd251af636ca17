import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'wattwarden gateway only '));
});
afterEach(() => rmSync(place, { recursive: true }));

test('a command whose part is not installed says so by name', () => {
  for (const folder of ['agent', 'config', 'models'])
    cpSync(join(root, 'dist', folder), join(place, 'dist', folder), { recursive: true });
  for (const folder of ['contract', 'push', 'pull', 'timescale']) {
    cpSync(join(root, 'dist/cloud-sync', folder), join(place, 'dist/cloud-sync', folder), { recursive: true });
  }
  for (const file of ['package.json', 'agent/package.json']) {
    cpSync(join(root, file), join(place, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  for (const command of ['up', 'simulate', 'cloud']) {
    const { status, stderr, stdout } = spawnSync(process.execPath, ['dist/agent/main.js', command], {
      cwd: place,
      encoding: 'utf8',
    });
    expect(status, stdout).not.toBe(0);
    expect(stderr).toContain('install.missing_part');
    expect(stderr).toContain(`wattwarden ${command}`);
  }
});
