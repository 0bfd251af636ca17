import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { SLOT_MINUTES, WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { packGolden } from '../../models/bundle/golden.js';
import { BUNDLE_FORMAT, type Manifest } from '../../models/bundle/manifest.js';
import { createKeyPair, verifyManifest } from '../../models/bundle/signature.js';
import { writeBundle } from '../../models/bundle/write.js';
import { packCalibration, uncalibrated } from '../../models/forecast/calibration.js';
import { FEATURE_VERSION } from '../../models/forecast/features.js';
import { HORIZONS, QUANTILES } from '../../models/forecast/horizons.js';
import { THEFT_FEATURES } from '../../models/fraud/features.js';
import { trainForest } from '../../models/fraud/forest/forest-training.js';
import { packTheftModel } from '../../models/fraud/theft-model.js';
import { openTestCentre, type TestCentre } from '../timescale/centre.fixture.js';
import { releaseBundle } from './release.js';

const { privateKeyPem, publicKey } = createKeyPair();
let centre: TestCentre;
let dir: string;
beforeAll(async () => {
  centre = await openTestCentre();
  dir = await mkdtemp(join(tmpdir(), 'wattwarden-release-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
  await centre.stop();
});

test('a bundle is signed and stored whole, once', async () => {
  const { connection } = await centre.openDatabase();
  const bundleDir = await writeSmallBundle('v1');
  const release = { connection, bundleDir, privateKeyPem };
  expect(await releaseBundle(release)).toEqual({ version: 'v1', sequence: 1, isNew: true });
  expect(await releaseBundle(release)).toEqual({ version: 'v1', sequence: 1, isNew: false });
  const [row] = await connection.query('select manifest, signature from wattwarden_data.release');
  const manifest = await readFile(join(bundleDir, 'manifest.json'));
  expect(row?.['manifest']).toEqual(manifest);
  expect(() => verifyManifest(manifest, String(row?.['signature']), [publicKey])).not.toThrow();
  const files = await connection.query('select name, content from wattwarden_data.release_file order by name');
  expect(files).toHaveLength(5);
  for (const { name, content } of files) expect(content).toEqual(await readFile(join(bundleDir, String(name))));
});

test('a version that was released does not take other contents', async () => {
  const { connection } = await centre.openDatabase();
  await releaseBundle({ connection, bundleDir: await writeSmallBundle('v2'), privateKeyPem });
  const other = releaseBundle({ connection, bundleDir: await writeSmallBundle('v2', 'other weights'), privateKeyPem });
  await expect(other).rejects.toMatchObject({ code: 'release.exists' });
});

test('a bundle that does not read back is not released', async () => {
  const { connection } = await centre.openDatabase();
  const bundleDir = await writeSmallBundle('v3');
  await writeFile(join(bundleDir, 'int8.onnx'), 'other weights');
  const broken = releaseBundle({ connection, bundleDir, privateKeyPem });
  await expect(broken).rejects.toMatchObject({ code: 'bundle.hash_mismatch' });
  expect(await connection.query('select from wattwarden_data.release')).toEqual([]);
});

/** Reads back as a bundle; its networks are not looked into before a gateway opens them. */
async function writeSmallBundle(version: string, weights = 'weights'): Promise<string> {
  const bundleDir = join(dir, `${version}-${weights.length}`);
  const outputs = new Float32Array(HORIZONS.length * QUANTILES.length);
  const window = { endMs: epochMs(0), values: new Float32Array(WINDOW_SLOTS), present: WINDOW_SLOTS };
  await writeBundle(bundleDir, {
    manifest: smallManifest(version),
    files: {
      'int8.onnx': weights,
      'float32.onnx': weights,
      'calibration.json': packCalibration(uncalibrated(HORIZONS.length)),
      'theft.json': smallTheftModel(),
      'golden.json': packGolden({ cases: [{ history: { window }, int8: outputs, float32: outputs }] }),
    },
  });
  return bundleDir;
}

const smallManifest = (version: string): Omit<Manifest, 'files'> => ({
  format: BUNDLE_FORMAT,
  version,
  createdAt: '2026-05-01T00:00:00Z',
  featureVersion: FEATURE_VERSION,
  slotMinutes: SLOT_MINUTES,
  windowSlots: WINDOW_SLOTS,
  horizons: [...HORIZONS],
  quantiles: [...QUANTILES],
  parameters: 1,
  forecast: { int8: 'int8.onnx', float32: 'float32.onnx' },
  fraud: { file: 'theft.json', threshold: 0.6 },
  calibration: 'calibration.json',
  golden: 'golden.json',
  trainedOn: 'nothing',
  licence: 'none',
  attribution: '',
  evaluation: { split: 'none', meters: 0, forecasts: 0, horizons: {} },
});

function smallTheftModel(): string {
  const features = THEFT_FEATURES.length;
  const rows = Float32Array.from({ length: 4 * features }, (_, index) => index);
  const forest = trainForest({ rows, features, trees: 1, subsample: 4, seed: 1 });
  const knots: [number, number][] = [
    [0, 0],
    [1, 1],
  ];
  return packTheftModel({ forest, features: [...THEFT_FEATURES], calibration: { knots } });
}
