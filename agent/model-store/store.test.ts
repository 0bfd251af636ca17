import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKeyPair, signManifest } from '../../models/bundle/signature.js';
import { calibrated, DECLARED_SCORE } from '../../models/fraud/calibration.js';
import { type Packed, pack, unpack } from '../../models/packed.js';
import { type Logger, silentLogger } from '../domain/log.js';
import { createModelStore, type Incoming, type ModelStore } from './store.js';

const SHIPPED = fileURLToPath(new URL('../../models/bundles/default-5min', import.meta.url));
const centre = createKeyPair();
const stranger = createKeyPair();

let dir = '';
let store: ModelStore;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-models-'));
  store = storeTrusting(centre.publicKey);
});
afterEach(() => rm(dir, { recursive: true }));

const storeTrusting = (...trustedKeys: string[]): ModelStore =>
  createModelStore({ dir: join(dir, 'models'), shippedDir: SHIPPED, trustedKeys, log: silentLogger });

/** The shipped bundle under another version, signed as a centre would. */
async function release(
  version: string,
  change: Partial<Incoming> & { signedBy?: string; createdAt?: string } = {},
): Promise<Incoming> {
  const { signedBy = centre.privateKeyPem, createdAt = '2026-05-01T00:00:00Z', ...rest } = change;
  const text = await readFile(join(SHIPPED, 'manifest.json'), 'utf8');
  const manifest = Buffer.from(
    text
      .replace(/"version":\s*"[^"]*"/, `"version": "${version}"`)
      .replace(/"createdAt":\s*"[^"]*"/, `"createdAt": "${createdAt}"`),
  );
  const file = (name: string): Promise<Buffer> => readFile(join(SHIPPED, name));
  return { version, manifest, signature: signManifest(manifest, signedBy), file, ...rest };
}

/** Which version serves; the forecaster is closed again. */
async function serving(models = store): Promise<string> {
  const { loaded } = await models.load();
  await loaded?.forecaster.close();
  return loaded?.state.version ?? 'none';
}

/** By the centre itself, so that only what it says is wrong. */
async function signed(change: (manifest: string) => string): Promise<Incoming> {
  const good = await release('bad');
  const manifest = Buffer.from(change(good.manifest.toString()));
  return { ...good, manifest, signature: signManifest(manifest, centre.privateKeyPem) };
}

const flipped = (bytes: Uint8Array): Buffer => {
  const copy = Buffer.from(bytes);
  copy[Math.floor(copy.length / 2)] = (copy[Math.floor(copy.length / 2)] ?? 0) ^ 1;
  return copy;
};

test('what came with the program serves until a release is there, then the newest release', async () => {
  expect(await serving()).toBe('default-1');
  expect(await store.newestVersion()).toBeUndefined();
  await store.receive(await release('r1'));
  await store.receive(await release('r2'));
  expect(await serving()).toBe('r2');
  expect(await store.newestVersion()).toBe('r2');
});

test('the release before the newest is kept, older ones go, and a repeat changes nothing', async () => {
  for (const version of ['r1', 'r2', 'r3', 'r3']) await store.receive(await release(version));
  expect((await readdir(join(dir, 'models'))).sort()).toEqual(['installed.json', 'r2', 'r3']);
});

test.each<[string, string, () => Promise<Incoming>]>([
  [
    'a flipped bit in a model',
    'bundle.hash_mismatch',
    async () => {
      const good = await release('bad');
      const file = async (name: string) => (name.includes('int8') ? flipped(await good.file(name)) : good.file(name));
      return { ...good, file };
    },
  ],
  [
    'a flipped bit in the manifest',
    'bundle.bad_signature',
    async () => {
      const good = await release('bad');
      return { ...good, manifest: flipped(good.manifest) };
    },
  ],
  ['the signature of a stranger', 'bundle.bad_signature', () => release('bad', { signedBy: stranger.privateKeyPem })],
  ['no signature', 'bundle.bad_signature', () => release('bad', { signature: '' })],
  [
    'a truncated model',
    'bundle.hash_mismatch',
    async () => {
      const good = await release('bad');
      return { ...good, file: async (name) => (await good.file(name)).subarray(0, 100) };
    },
  ],
  [
    'another version than its manifest says',
    'bundle.unreadable',
    async () => ({ ...(await release('bad')), version: 'other' }),
  ],
  [
    'another feature version',
    'bundle.incompatible',
    () => signed((text) => text.replace(/"featureVersion":\s*\d+/, '"featureVersion": 99')),
  ],
  ['the manifest of another program', 'bundle.unreadable', () => signed(() => '{"name":"weather","icons":[]}')],
  ['an empty manifest', 'bundle.unreadable', () => signed(() => '')],
])('%s is refused, and the old one serves on', async (_what, code, make) => {
  await store.receive(await release('good'));
  await expect(store.receive(await make())).rejects.toMatchObject({ code });
  expect(await serving()).toBe('good');
  expect((await readdir(join(dir, 'models'))).sort()).toEqual(['good', 'installed.json']);
});

test('a release that was signed earlier does not come back, though the centre offers it as its newest', async () => {
  const r1 = await release('r1', { createdAt: '2026-05-01T00:00:00Z' });
  expect(await store.receive(r1)).toBe('installed');
  expect(await store.receive(await release('r2', { createdAt: '2026-05-02T00:00:00Z' }))).toBe('installed');
  const between = await release('r3', { createdAt: '2026-05-01T12:00:00Z' });
  await expect(store.receive(r1)).rejects.toMatchObject({ code: 'bundle.older' });
  await expect(store.receive(between)).rejects.toMatchObject({ code: 'bundle.older' });
  expect(await serving()).toBe('r2');
  expect(await store.receive(await release('r2', { createdAt: '2026-05-02T00:00:00Z' }))).toBe('present');
  expect(await store.receive(await release('r4', { createdAt: '2026-05-03T00:00:00Z' }))).toBe('installed');
});

test('an installed release that is spoilt, or of a key trusted no more, holds no other back', async () => {
  await store.receive(await release('r2', { createdAt: '2026-05-02T00:00:00Z' }));
  const renewed = storeTrusting(stranger.publicKey);
  const r1 = await release('r1', { createdAt: '2026-05-01T00:00:00Z', signedBy: stranger.privateKeyPem });
  expect(await renewed.receive(r1)).toBe('installed');
  await writeFile(join(dir, 'models', 'r1', 'manifest.json'), '{}');
  const r0 = await release('r0', { createdAt: '2026-04-01T00:00:00Z', signedBy: stranger.privateKeyPem });
  expect(await renewed.receive(r0)).toBe('installed');
});

test('a manifest cannot make a file outside of the bundle', async () => {
  const good = await release('bad');
  const manifest = Buffer.from(good.manifest.toString().replaceAll('golden.json', '../golden.json'));
  const evil = { ...good, manifest, signature: signManifest(manifest, centre.privateKeyPem) };
  await expect(store.receive(evil)).rejects.toMatchObject({ code: 'bundle.unreadable' });
});

test('a gateway that trusts no key takes no release', async () => {
  await expect(storeTrusting().receive(await release('r1'))).rejects.toMatchObject({ code: 'bundle.bad_signature' });
});

test('what the card has spoilt since is named, and the release before it serves', async () => {
  await store.receive(await release('r1'));
  await store.receive(await release('r2'));
  const path = join(dir, 'models', 'r2', 'forecast.int8.onnx');
  await writeFile(path, flipped(await readFile(path)));
  const { loaded, refused } = await store.load();
  await loaded?.forecaster.close();
  expect(loaded?.state.version).toBe('r1');
  expect(refused).toMatchObject([{ state: 'refused', version: 'r2', code: 'bundle.hash_mismatch' }]);
});

test('a key that is no longer trusted takes its releases with it', async () => {
  await store.receive(await release('r1'));
  expect(await serving(storeTrusting(stranger.publicKey))).toBe('default-1');
  expect(await serving(storeTrusting(stranger.publicKey, centre.publicKey))).toBe('r1');
});

test('a model that does not give its golden outputs here: float32 serves in place of int8', async () => {
  const shipped = join(dir, 'shipped');
  await cp(SHIPPED, shipped, { recursive: true });
  const models = createModelStore({
    dir: join(dir, 'models'),
    shippedDir: await withOddInt8(shipped),
    trustedKeys: [],
    log: silentLogger,
  });
  const { loaded } = await models.load();
  await loaded?.forecaster.close();
  expect(loaded?.state.precision).toBe('float32');
});

/** As if this processor computed int8 differently: the stored int8 answers are other ones. */
async function withOddInt8(bundle: string): Promise<string> {
  const golden = JSON.parse(await readFile(join(bundle, 'golden.json'), 'utf8')) as { cases: { int8: Packed }[] };
  for (const one of golden.cases) {
    one.int8 = pack(unpack(one.int8).map((watts) => watts * 3 + 1_000));
  }
  const bytes = Buffer.from(JSON.stringify(golden));
  await writeFile(join(bundle, 'golden.json'), bytes);
  const manifest = JSON.parse(await readFile(join(bundle, 'manifest.json'), 'utf8')) as {
    files: Record<string, object>;
  };
  manifest.files['golden.json'] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  await writeFile(join(bundle, 'manifest.json'), JSON.stringify(manifest));
  return bundle;
}

test('when nothing works here, not even what came with the program, that is said and nothing is thrown', async () => {
  const models = createModelStore({
    dir: join(dir, 'models'),
    shippedDir: join(dir, 'nowhere'),
    trustedKeys: [],
    log: silentLogger,
  });
  const { loaded, refused } = await models.load();
  expect(loaded).toBeUndefined();
  expect(refused).toMatchObject([{ state: 'refused', version: 'shipped' }]);
});

test('a bundle made for slots of another width is refused by name', async () => {
  const models = createModelStore({
    dir: join(dir, 'models'),
    shippedDir: SHIPPED,
    trustedKeys: [centre.publicKey],
    slotMinutes: 30,
    log: silentLogger,
  });
  const refused = { code: 'bundle.incompatible', detail: expect.stringContaining('slots of 5 minutes') };
  expect(await models.load()).toMatchObject({ loaded: undefined, refused: [refused] });
  await expect(models.receive(await release('r1'))).rejects.toMatchObject({ code: 'bundle.incompatible' });
  expect(await models.newestVersion()).toBeUndefined();
});

test('a gateway of half hours serves the bundle of half hours that came with the program', async () => {
  const models = createModelStore({
    dir: join(dir, 'models'),
    shippedDir: join(SHIPPED, '..', 'default-30min'),
    trustedKeys: [],
    slotMinutes: 30,
    log: silentLogger,
  });
  const { loaded, refused } = await models.load();
  await loaded?.forecaster.close();
  expect(refused).toEqual([]);
  expect(loaded?.forecaster).toMatchObject({ slotMinutes: 30, horizons: { length: 48 } });
});

/** The lowest raw score of a slot that reaches 0.6, and what was warned of. */
async function declaredRaw(contamination?: number, shippedDir = SHIPPED): Promise<{ raw: number; warned: string[] }> {
  const warned: string[] = [];
  const log: Logger = { ...silentLogger, warn: (_fields, message) => warned.push(message) };
  const expecting = { ...(contamination === undefined ? {} : { contamination }), log };
  const { loaded } = await createModelStore({
    dir: join(dir, 'none'),
    shippedDir,
    trustedKeys: [],
    ...expecting,
  }).load();
  await loaded?.forecaster.close();
  const { calibration } = loaded?.bundle.theft ?? {};
  const reached = Array.from({ length: 10_001 }, (_, step) => step / 10_000).find(
    (raw) => calibration !== undefined && calibrated(calibration, raw) >= DECLARED_SCORE,
  );
  return { raw: reached ?? Number.NaN, warned };
}

test('a contamination takes the place of the rate that the bundle declares', async () => {
  const [declared, half, one, two] = await Promise.all(
    [undefined, 0.005, 0.01, 0.02].map((share) => declaredRaw(share)),
  );
  const raws = [two, one, half, declared].map((found) => found?.raw ?? Number.NaN);
  expect(raws).toEqual([...raws].sort((a, b) => a - b));
  expect(new Set(raws).size).toBe(4);
  expect([declared, one].flatMap((found) => found?.warned)).toEqual([]);
});

test('an older bundle, which knows no tail, keeps its rate, and that is said', async () => {
  const older = join(dir, 'older');
  await cp(SHIPPED, older, { recursive: true });
  const text = await readFile(join(older, 'forest.json'), 'utf8');
  const { tail, days, ...rest } = JSON.parse(text) as Record<string, unknown>;
  expect([tail, days]).not.toContain(undefined);
  const stripped = Buffer.from(JSON.stringify(rest));
  await writeFile(join(older, 'forest.json'), stripped);
  const manifest = JSON.parse(await readFile(join(older, 'manifest.json'), 'utf8')) as {
    files: Record<string, object>;
  };
  manifest.files['forest.json'] = {
    sha256: createHash('sha256').update(stripped).digest('hex'),
    bytes: stripped.length,
  };
  await writeFile(join(older, 'manifest.json'), JSON.stringify(manifest));
  const { raw, warned } = await declaredRaw(0.02, older);
  expect(raw).toBe((await declaredRaw()).raw);
  expect(warned).toHaveLength(1);
});
