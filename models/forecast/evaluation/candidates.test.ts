import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MANIFEST_FILE } from '../../bundle/manifest.js';
import { shippedCandidate } from './candidates.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wattwarden-candidates-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const bundle = fileURLToPath(new URL('../../bundles/default-5min', import.meta.url));
const options = { step: 5, seed: 1, bundle };

test.each(['int8', 'float32'] as const)(
  'a whole bundle is measured in %s, wherever the meters stand',
  async (precision) => {
    const ready = await shippedCandidate({ ...options, precision, zone: 'Europe/Paris', country: 'FR' });
    expect(ready.shape.slotMinutes).toBe(5);
    await ready.close();
  },
);

test.each([
  ['twice the same span', '"offset":3,"slots":1', '"offset":2,"slots":1', 'bundle.unreadable'],
  ['another span', '"offset":276,"slots":12', '"offset":13,"slots":12', 'bundle.golden_mismatch'],
])('a manifest that was changed to %s is refused', async (name, from, to, code) => {
  const dir = join(root, name);
  await cp(bundle, dir, { recursive: true });
  const text = await readFile(join(dir, MANIFEST_FILE), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(dir, MANIFEST_FILE), text.replace(from, to));
  for (const precision of ['int8', 'float32'] as const) {
    const measured = shippedCandidate({ ...options, precision, bundle: dir });
    await expect(measured).rejects.toMatchObject({ code });
  }
});
