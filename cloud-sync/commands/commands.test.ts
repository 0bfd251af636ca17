import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSettings } from '../../config/load.js';
import { type Settings, settingsSchema } from '../../config/schema.js';
import { readSecret } from '../../config/secrets.js';
import { openTestCentre, type TestCentre } from '../timescale/centre.fixture.js';
import { createCentreLink } from '../timescale/centre-link.js';
import { scramVerifier } from '../timescale/scram.js';
import { addGateway } from './add-gateway.js';
import { initCentre } from './init.js';

const dir = mkdtempSync(join(tmpdir(), 'wattwarden-commands-'));
let server: TestCentre;
let centre: Settings['centre'];
beforeAll(async () => {
  server = await openTestCentre({ pristine: true });
  const { host, port, superuser, passwordFile } = server.server;
  centre = settingsSchema.parse({
    centre: {
      host,
      port,
      user: superuser,
      password_file: passwordFile,
      database: 'the centre',
      keys_dir: join(dir, 'keys'),
      tls: { mode: 'off' },
    },
  }).centre;
});
afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true });
});

test('init at once from several programs makes database, migrations and one key; again it changes nothing', async () => {
  const reports = await Promise.all([initCentre(centre), initCentre(centre), initCentre(centre)]);
  const keys = new Set(reports.map(({ publicKey }) => publicKey));
  expect(keys.size).toBe(1);
  expect(reports.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  const again = await initCentre(centre);
  expect(again).toMatchObject({ applied: [], publicKey: [...keys][0] });
  expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700);
  expect(statSync(join(dir, 'keys', 'release-key.pem')).mode & 0o777).toBe(0o600);
});

test('add-gateway writes a configuration with which the gateway is let in; --renew shuts the old password out', async () => {
  const { publicKey } = await initCentre(centre);
  const outDir = join(dir, 'gateways');
  const added = await addGateway({ centre, name: 'north-1', outDir, renew: false });
  expect(added.role).toBe('gw_north-1');
  expect(statSync(added.passwordFile).mode & 0o777).toBe(0o600);
  const settings = loadSettings({ file: added.configFile, env: {} });
  expect(settings.models.trusted_keys).toEqual([publicKey]);
  expect(settings.gateway.name).toBe('north-1');
  expect(await greeting(settings)).toBe('north-1');
  const password = readFileSync(added.passwordFile, 'utf8').trim();
  expect(readFileSync(added.configFile, 'utf8')).not.toContain(password);

  const repeated = addGateway({ centre, name: 'north-1', outDir, renew: false });
  await expect(repeated).rejects.toMatchObject({ code: 'gateway.exists' });
  expect(await greeting(settings)).toBe('north-1');

  await addGateway({ centre, name: 'north-1', outDir, renew: true });
  expect(await greeting(settings)).toBe('north-1');
  await expect(greeting(settings, password)).rejects.toMatchObject({ code: 'centre.refused' });
});

test.each(['', 'North', '1st', 'a"; drop role x; --', 'a'.repeat(41)])('a gateway cannot be named %j', async (name) => {
  await initCentre(centre);
  const outDir = join(dir, 'none');
  await expect(addGateway({ centre, name, outDir, renew: false })).rejects.toMatchObject({ code: 'config.invalid' });
  expect(existsSync(outDir)).toBe(false);
});

test('the verifier is the one of RFC 7677', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

async function greeting({ sync }: Settings, password = readSecret(sync, 'password')): Promise<unknown> {
  const { host, port, database, user = '', tls } = sync;
  const link = createCentreLink(() => ({ host, port, database, user, password, tls: { mode: tls.mode } }));
  try {
    const [hello] = await link.call('hello', []);
    return hello?.['gateway'];
  } finally {
    await link.close();
  }
}
