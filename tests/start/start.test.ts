import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startGateway, wattwarden } from '../kit/command.js';
import { openLoneGateway } from '../kit/lone-gateway.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-start-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function configure(settings: object): Promise<string> {
  const file = join(dir, 'gateway.yaml');
  const base = { version: 1, gateway: { data_dir: join(dir, 'data') }, mqtt: { port: 0 }, http: { port: 0 } };
  await writeFile(file, stringify({ ...base, ...settings }));
  return file;
}

test.each(['mqtt', 'http'])('%s port in use: says which, what to do, and ends by itself', async (section) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const failure = startGateway(await configure({ [section]: { port } }));
    await expect(failure).rejects.toThrow(/port\.in_use/);
    await expect(failure).rejects.toThrow(new RegExp(`${port}[\\s\\S]*Stop that program, or set another port`));
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});

test('a second gateway on the same buffer does not start', async () => {
  const first = await openLoneGateway({ gateway: { data_dir: join(dir, 'data') } });
  try {
    await expect(startGateway(await configure({}))).rejects.toThrow(/buffer\.in_use/);
  } finally {
    await first.close();
  }
});

test('where the disk of the data is not mounted, nothing is written elsewhere', async () => {
  const config = await configure({ gateway: { data_dir: join(dir, 'mount', 'data') } });
  await expect(startGateway(config)).rejects.toThrow(/buffer\.unopenable/);
});

test('every fault of a configuration is named at once', async () => {
  const config = await configure({ mqtt: { port: 70_000, hots: 'x' }, validate: { max_age_days: -1 } });
  const { code, stderr } = await wattwarden('config', 'check', '--config', config);
  expect(code).toBe(1);
  for (const key of ['mqtt.port', 'mqtt.hots', 'validate.max_age_days']) expect(stderr).toContain(key);
  expect(stderr).toContain('config.invalid');
});

test('status without a gateway says that none answers', async () => {
  const gateway = await openLoneGateway();
  await gateway.stop();
  const { code, stdout } = await wattwarden('status', '--config', gateway.config);
  await gateway.close();
  expect(code).toBe(1);
  expect(stdout).toMatch(/not running/);
});
