import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLoneGateway } from './kit/lone-gateway.js';

const inherited = { HOME: process.env['HOME'], XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] };
let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ww-home-'));
  process.env['HOME'] = home;
  delete process.env['XDG_CACHE_HOME'];
});
afterEach(async () => {
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(home, { recursive: true });
});

test('the engine of the models keeps no record of its use in the home directory', async () => {
  // Ready when the model has given its golden outputs.
  const gateway = await openLoneGateway();
  try {
    expect(gateway.output()).toContain('model serves');
    expect(await readdir(home)).toEqual([]);
  } finally {
    await gateway.close();
  }
});
