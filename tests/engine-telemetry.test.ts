import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBundle } from '../models/bundle/read.js';
import { openOnnxNetwork } from '../models/onnx/session.js';
import { openLoneGateway } from './kit/lone-gateway.js';
import { until } from './kit/until.js';

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

test('ONNX Runtime keeps no record of its use in the home directory', async () => {
  const bundle = await readBundle(fileURLToPath(new URL('../models/bundles/default-5min', import.meta.url)));
  const network = await openOnnxNetwork(bundle.forecast.int8, bundle.manifest);
  await network.close();
  expect(await readdir(home)).toEqual([]);
});

test('a gateway with the shipped model loads no ONNX Runtime', async () => {
  const gateway = await openLoneGateway();
  try {
    await until('the model has given its golden outputs', () => gateway.output().includes('model serves'));
    expect(await readFile(`/proc/${gateway.pid}/maps`, 'utf8')).not.toContain('onnxruntime');
  } finally {
    await gateway.close();
  }
});
