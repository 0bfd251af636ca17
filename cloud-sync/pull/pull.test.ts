import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../agent/domain/clock.js';
import { WattwardenError } from '../../agent/domain/errors.js';
import { createKeyPair, signManifest, verifyManifest } from '../../models/bundle/signature.js';
import { openTestCentre, type TestCentre } from '../timescale/centre.fixture.js';
import { type CentreLink, createCentreLink } from '../timescale/centre-link.js';
import type { Connection } from '../timescale/connection.js';
import { createPull, type ReceivedBundle } from './pull.js';

const key = createKeyPair();
const never = new AbortController().signal;
const links: CentreLink[] = [];
let centre: TestCentre;
beforeAll(async () => {
  centre = await openTestCentre();
});
afterAll(async () => {
  for (const link of links) await link.close();
  await centre.stop();
});

async function openGateway() {
  const { connection, addGateway } = await centre.openDatabase();
  const { address } = await addGateway();
  const link = createCentreLink(() => address);
  links.push(link);
  return { connection, link };
}

interface Insert {
  readonly version: string;
  readonly content: Buffer;
  /** The hash in the manifest is of these bytes. */
  readonly claimed?: Buffer;
}

/** What a release looks like at the centre, also a broken one, which `release` would not make. */
async function insertRelease(connection: Connection, { version, content, claimed = content }: Insert) {
  const sha256 = createHash('sha256').update(claimed).digest('hex');
  const manifest = Buffer.from(JSON.stringify({ version, files: { 'model.onnx': { sha256 } } }));
  const signature = signManifest(manifest, key.privateKeyPem);
  await connection.query('insert into wattwarden_data.release (version, manifest, signature) values ($1, $2, $3)', [
    version,
    manifest,
    signature,
  ]);
  await connection.query(`insert into wattwarden_data.release_file values ($1, 'model.onnx', $2)`, [version, content]);
}

/** Verifies as a gateway's store does, and keeps what it saw. */
function createStore() {
  const received: { version: string; file: Buffer }[] = [];
  return {
    received,
    async receive(bundle: ReceivedBundle) {
      verifyManifest(bundle.manifest, bundle.signature, [key.publicKey]);
      const manifest = JSON.parse(bundle.manifest.toString());
      const file = await bundle.file('model.onnx');
      received.push({ version: bundle.version, file });
      const sha256 = createHash('sha256').update(file).digest('hex');
      if (manifest.files['model.onnx'].sha256 !== sha256)
        throw new WattwardenError('bundle.hash_mismatch', 'model.onnx');
      return 'installed' as const;
    },
  };
}

test('nothing released, the installed one, a newer one; newer is what was released later, whatever its name', async () => {
  const { connection, link } = await openGateway();
  const store = createStore();
  let installed: string | undefined = '2026.01.01-shipped';
  const pull = createPull({ centre: link, store, installedVersion: () => installed, clock: systemClock });
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'none' });
  await insertRelease(connection, { version: 'z-first', content: Buffer.from([0, 1, 2, 255]) });
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'received', version: 'z-first' });
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'known' });
  installed = 'z-first';
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'current' });
  await insertRelease(connection, { version: 'a-second', content: Buffer.from('b') });
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'received', version: 'a-second' });
  expect(store.received[0]?.file).toEqual(Buffer.from([0, 1, 2, 255]));
});

test('a flipped bit reaches the store as it is, which refuses it; it is asked for again after a day, or when changed', async () => {
  const { connection, link } = await openGateway();
  const good = Buffer.from('weights of a network');
  const flipped = Buffer.from(good);
  flipped[3] = (flipped[3] ?? 0) ^ 0x10;
  await insertRelease(connection, { version: 'v1', content: flipped, claimed: good });
  const store = createStore();
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const pull = createPull({ centre: link, store, installedVersion: () => 'shipped', clock });
  const refusal = { outcome: 'refused', version: 'v1', code: 'bundle.hash_mismatch' };
  expect(await pull.pullOnce(never)).toMatchObject(refusal);
  expect(store.received).toEqual([{ version: 'v1', file: flipped }]);
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'known' });
  expect(store.received).toHaveLength(1);
  nowMs += 25 * 3_600_000;
  expect(await pull.pullOnce(never)).toMatchObject(refusal);
  await connection.query(`
    alter table wattwarden_data.release disable trigger immutable;
    update wattwarden_data.release set signature = 'bm90IGEgc2lnbmF0dXJl'`);
  expect(await pull.pullOnce(never)).toMatchObject({ outcome: 'refused', code: 'bundle.bad_signature' });
});

test('a file that the centre does not have, and a bundle that is too large, are refused', async () => {
  const { connection, link } = await openGateway();
  const asking = {
    async receive(bundle: ReceivedBundle) {
      await bundle.file('other.onnx');
      return 'installed' as const;
    },
  };
  const options = { centre: link, installedVersion: () => undefined, clock: systemClock };
  await insertRelease(connection, { version: 'v1', content: Buffer.from('x') });
  expect(await createPull({ ...options, store: asking }).pullOnce(never)).toMatchObject({
    outcome: 'refused',
    code: 'bundle.unreadable',
  });
  await insertRelease(connection, { version: 'v2', content: Buffer.alloc(8 * 1024 * 1024) });
  await connection.query(`insert into wattwarden_data.release_file values ('v2', 'more', 'x')`);
  const store = createStore();
  expect(await createPull({ ...options, store }).pullOnce(never)).toMatchObject({ code: 'bundle.unreadable' });
  expect(store.received).toEqual([]);
});

test.each(['ENOSPC', 'EACCES'])(
  'a store that fails with %s does not download the bundle again for an hour',
  async (code) => {
    const { connection, link } = await openGateway();
    await insertRelease(connection, { version: 'v1', content: Buffer.from('x') });
    let failing = true;
    let downloads = 0;
    const store = {
      async receive(bundle: ReceivedBundle) {
        await bundle.file('model.onnx');
        downloads += 1;
        if (failing) throw Object.assign(new Error('the disk has something'), { code });
        return 'installed' as const;
      },
    };
    let nowMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
    const pull = createPull({ centre: link, store, installedVersion: () => undefined, clock });
    await expect(pull.pullOnce(never)).rejects.toThrow('the disk has something');
    expect(await pull.pullOnce(never)).toEqual({ outcome: 'known' });
    expect(downloads).toBe(1);
    nowMs += 61 * 60_000;
    failing = false;
    expect(await pull.pullOnce(never)).toMatchObject({ outcome: 'received' });
  },
);

test('a link that breaks during the download is not held against the bundle', async () => {
  const { connection, link } = await openGateway();
  await insertRelease(connection, { version: 'v1', content: Buffer.from('x') });
  let broken = true;
  const centreOnAndOff: Pick<CentreLink, 'call'> = {
    async call(name, values, signal) {
      if (broken && values[1] === 'model.onnx') throw new WattwardenError('centre.unreachable', 'gone');
      return await link.call(name, values, signal);
    },
  };
  const pull = createPull({
    centre: centreOnAndOff,
    store: createStore(),
    installedVersion: () => undefined,
    clock: systemClock,
  });
  await expect(pull.pullOnce(never)).rejects.toMatchObject({ code: 'centre.unreachable' });
  broken = false;
  expect(await pull.pullOnce(never)).toMatchObject({ outcome: 'received' });
});

test('a bundle that the store has already is the current one', async () => {
  const { connection, link } = await openGateway();
  await insertRelease(connection, { version: 'v1', content: Buffer.from('x') });
  const store = { receive: async () => 'present' as const };
  const pull = createPull({ centre: link, store, installedVersion: () => undefined, clock: systemClock });
  expect(await pull.pullOnce(never)).toEqual({ outcome: 'current' });
});

test.each([
  `update wattwarden_data.release set signature = 'x'`,
  'delete from wattwarden_data.release_file',
  `update wattwarden_data.release_file set content = 'x'`,
  'truncate wattwarden_data.release_file',
])('a release is immutable: %s', async (sql) => {
  const { connection } = await centre.openDatabase();
  await insertRelease(connection, { version: 'v1', content: Buffer.from('x') });
  await expect(connection.query(sql)).rejects.toMatchObject({ cause: { code: '55000' } });
});
