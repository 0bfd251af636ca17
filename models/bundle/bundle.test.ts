import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { epochMs } from '../../agent/domain/brand.js';
import { WINDOW_SLOTS } from '../../agent/domain/slot.js';
import { HIGH, HORIZONS, LOW, MEDIAN, QUANTILES } from '../forecast/horizons.js';
import { LEARNING_CURVE } from '../forecast/plots/learning-curve.js';
import { windowAt } from '../forecast/samples.js';
import { openForecaster } from '../forecaster.js';
import { score } from '../fraud/theft-model.js';
import { createGraph } from '../onnx/graph.js';
import { inputPorts, outputPort } from '../onnx/ports.js';
import { createHouseholds } from '../synthetic.js';
import { PLOTS } from '../tail-evaluation.js';
import { FEWEST_SLOTS, trainBundle } from '../train-bundle.js';
import { checkGolden } from './golden.js';
import { BUNDLE_FORMAT, MANIFEST_FILE, type Manifest } from './manifest.js';
import { readBundle, readBundleFiles, sha256Of } from './read.js';

/** Trainings on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const homes = createHouseholds({ meters: 2, days: 4, seed: 41 });
const options = { series: homes, version: 'test-1', createdAt: '2024-02-03T04:05:06Z', seed: 9, epochs: 1 };
let root: string;
let whole: string;

const train = (dir: string, changes: object = {}) =>
  trainBundle({ ...options, trainedOn: 'two generated homes', dir, ...changes });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wattwarden-bundle-'));
  whole = join(root, 'whole');
  await train(whole);
});

afterAll(() => rm(root, { recursive: true, force: true }));

let copies = 0;
async function copy(): Promise<string> {
  const dir = join(root, `copy-${++copies}`);
  await cp(whole, dir, { recursive: true });
  return dir;
}

/** Changes a file and, as somebody who can hash would, the manifest with it. */
async function rewrite(dir: string, name: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const bytes = change(await readFile(join(dir, name)));
  await writeFile(join(dir, name), bytes);
  await rewriteManifest(dir, (manifest) => ({
    ...manifest,
    files: { ...manifest.files, [name]: { sha256: sha256Of(bytes), bytes: bytes.length } },
  }));
}

async function rewriteManifest(dir: string, change: (manifest: Manifest) => object): Promise<void> {
  const path = join(dir, MANIFEST_FILE);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
}

test('what was written is read back, forecasts and scores, and agrees with its golden outputs', async () => {
  const bundle = await readBundle(whole);
  expect(bundle.manifest).toMatchObject({ version: 'test-1', createdAt: '2024-02-03T04:05:06.000Z', slotMinutes: 5 });
  expect(Object.keys(bundle.manifest.evaluation.horizons)).toEqual(['1', '1-12', '24h']);
  // A fleet of four days has no last week to stand beside, and nothing to fit a ridge on.
  expect(bundle.manifest.evaluation.meters).toBe(2);
  expect(Object.keys(bundle.manifest.evaluation.horizons['1'] ?? {})).toEqual(['model', 'persistence', 'seasonal_day']);
  expect(bundle.manifest.parameters).toBeLessThan(50_000);
  expect(Object.values(bundle.manifest.files).reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(150 * 1_024);
  const windows = homes.map((series) => windowAt({ series, origin: 2 * WINDOW_SLOTS }));
  for (const precision of ['int8', 'float32'] as const) {
    const forecaster = await openForecaster(bundle, precision);
    await checkGolden(bundle, forecaster);
    const rows = await forecaster.predict(windows.map((window) => ({ window })));
    expect(rows.map(({ watts }) => watts.length)).toEqual(windows.map(() => HORIZONS.length * QUANTILES.length));
    expect(rows.every(({ watts }) => watts.every(Number.isFinite))).toBe(true);
    expect(await forecaster.predict([])).toEqual([]);
    await forecaster.close();
  }
  for (const window of windows) expect(Number.isFinite(score(bundle.theft, window).score)).toBe(true);
});

test('the card says what goes in and comes out, and shows drawings that stand beside it', async () => {
  const { manifest, file } = await readBundleFiles(whole, 5);
  const card = new TextDecoder().decode(file('card.md'));
  for (const name of [...PLOTS.map(({ file: plot }) => plot), LEARNING_CURVE]) {
    expect(card).toContain(`](${name})`);
    const drawing = new TextDecoder().decode(file(name));
    expect(drawing, name).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(drawing, name).not.toMatch(/NaN|Infinity|undefined/);
    expect(drawing.match(/<path d="M/g)?.length, name).toBeGreaterThan(4);
  }
  for (const { name } of inputPorts(manifest.horizons.length)) expect(card).toContain(`\`${name}\``);
  expect(card).toContain(manifest.trainedOn);
  expect(card).toContain('Ridge on the last 288 slots of each meter is left out');
  const [epoch] = manifest.training?.curve ?? [];
  expect(manifest.training).toMatchObject({ bestEpoch: 1, curve: [expect.anything()] });
  expect(card).toContain(`| **1** | ${epoch?.training.toFixed(4)} | ${epoch?.validation.toFixed(4)} |`);
  const { mape } = manifest.evaluation.aggregate?.['1']?.['model'] ?? {};
  expect(card).toContain(`${((mape ?? Number.NaN) * 100).toFixed(2)} %`);
});

test('a bundle is described anew from its parts and its data, without a training, to the same bytes', async () => {
  const dir = join(root, 'described');
  await train(dir, { forecastFrom: whole, theftFrom: whole });
  const { files } = (await readBundle(whole)).manifest;
  for (const name of [...Object.keys(files), MANIFEST_FILE]) {
    expect((await readFile(join(dir, name))).equals(await readFile(join(whole, name))), name).toBe(true);
  }
  const { manifest } = await train(dir, { forecastFrom: whole, theftFrom: whole, version: 'test-2' });
  expect(manifest).toMatchObject({ version: 'test-2' });
});

test('the same seed and data give the same bytes', async () => {
  const again = join(root, 'again');
  await train(again);
  const { files } = (await readBundle(whole)).manifest;
  for (const name of [...Object.keys(files), MANIFEST_FILE]) {
    expect((await readFile(join(again, name))).equals(await readFile(join(whole, name))), name).toBe(true);
  }
});

test('more windows than a batch are answered in their order', async () => {
  const bundle = await readBundle(whole);
  const forecaster = await openForecaster(bundle, 'float32');
  const [series] = homes;
  if (series === undefined) throw new Error('no household');
  const windows = Array.from({ length: 530 }, (_, index) => windowAt({ series, origin: WINDOW_SLOTS + (index % 500) }));
  const rows = await forecaster.predict(windows.map((window) => ({ window })));
  const [alone] = await forecaster.predict(windows.slice(520, 521).map((window) => ({ window })));
  await forecaster.close();
  expect(rows.length).toBe(530);
  for (const [index, watts] of (alone?.watts ?? []).entries()) expect(rows[520]?.watts[index]).toBeCloseTo(watts, 1);
});

test('a test in which nothing ever changes has ratios to nothing, and is described all the same', async () => {
  const still = homes.map((home) => ({
    ...home,
    powerW: home.powerW.map((watts, slot) => (slot < 600 ? watts : 230)),
  }));
  const { manifest } = await train(join(root, 'no-ratios'), { series: still, forecastFrom: whole, theftFrom: whole });
  expect(manifest.evaluation.horizons['1']?.['persistence']).toMatchObject({
    mae: 0,
    mase_vs_seasonal: null,
    r2: null,
  });
});

test('a hash that differs in its last digit is seen to differ', async () => {
  const dir = await copy();
  const { sha256, bytes } = (await readBundle(whole)).manifest.files['forest.json'] ?? { sha256: '', bytes: 0 };
  const other = `${sha256.slice(0, -1)}${sha256.endsWith('0') ? '1' : '0'}`;
  await rewriteManifest(dir, (manifest) => ({
    ...manifest,
    files: { ...manifest.files, 'forest.json': { sha256: other, bytes } },
  }));
  await expect(readBundle(dir)).rejects.toMatchObject({
    code: 'bundle.hash_mismatch',
    message: `forest.json: SHA-256 ${sha256}, the manifest says ${other}`,
  });
});

test('a flipped bit is a hash mismatch, in every file', async () => {
  const { files } = (await readBundle(whole)).manifest;
  for (const name of Object.keys(files)) {
    const dir = await copy();
    const bytes = await readFile(join(dir, name));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(join(dir, name), bytes);
    await expect(readBundle(dir), name).rejects.toMatchObject({ code: 'bundle.hash_mismatch' });
  }
});

test('a file cut short is a hash mismatch, a missing one and a broken manifest are unreadable', async () => {
  const cut = await copy();
  await writeFile(join(cut, 'forest.json'), (await readFile(join(cut, 'forest.json'))).subarray(0, 100));
  await expect(readBundle(cut)).rejects.toMatchObject({ code: 'bundle.hash_mismatch' });
  const missing = await copy();
  await rm(join(missing, 'golden.json'));
  await expect(readBundle(missing)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  const broken = await copy();
  await writeFile(join(broken, MANIFEST_FILE), '{"format":1,');
  await expect(readBundle(broken)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  await expect(readBundle(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'bundle.unreadable' });
});

test.each([
  ['another feature version', { featureVersion: 99 }],
  ['another slot width', { slotMinutes: 30 }],
  ['other quantiles', { quantiles: [0.1, 0.5, 0.9] }],
  ['more than a day', { horizons: [{ offset: 1, slots: WINDOW_SLOTS }] }],
  ['a newer format', { format: BUNDLE_FORMAT + 1 }],
])('%s is incompatible', async (_, changes) => {
  const dir = await copy();
  await rewriteManifest(dir, (manifest) => ({ ...manifest, ...changes }));
  await expect(readBundle(dir)).rejects.toMatchObject({ code: 'bundle.incompatible' });
});

test('a manifest names plain files only, and not more than a bundle may hold', async () => {
  const secret = { sha256: '0'.repeat(64), bytes: 1 };
  for (const name of ['../secret', '/etc/hostname', '.hidden', 'a/b']) {
    const dir = await copy();
    await rewriteManifest(dir, (manifest) => ({ ...manifest, files: { ...manifest.files, [name]: secret } }));
    await expect(readBundle(dir), name).rejects.toMatchObject({ code: 'bundle.unreadable' });
  }
  const dir = await copy();
  const huge = { sha256: '0'.repeat(64), bytes: 1e9 };
  await rewriteManifest(dir, (manifest) => ({ ...manifest, files: { ...manifest.files, huge } }));
  await expect(readBundle(dir)).rejects.toMatchObject({ code: 'bundle.unreadable' });
});

test('files that hash well and hold nonsense are unreadable', async () => {
  const forest = await copy();
  await rewrite(forest, 'forest.json', (bytes) => Buffer.from(bytes.toString().replace('"trees":', '"trees":1')));
  await expect(readBundle(forest)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  const golden = await copy();
  await rewrite(golden, 'golden.json', () => Buffer.from('{"cases":[]}'));
  await expect(readBundle(golden)).rejects.toMatchObject({ code: 'bundle.unreadable' });
  const network = await copy();
  await rewrite(network, 'forecast.int8.onnx', (bytes) => bytes.subarray(0, 5_000));
  const bundle = await readBundle(network);
  await expect(openForecaster(bundle, 'int8')).rejects.toMatchObject({ code: 'bundle.unreadable' });
});

/** Another network with the declared inputs and output: yesterday again, give or take some. */
function yesterday(): Uint8Array {
  const graph = createGraph();
  const steps = HORIZONS.length;
  const bounds = [0, 1, 1].map((number) => graph.constant([number], [1]));
  const slice = graph.node('Slice', ['seasons', ...bounds]);
  const median = graph.node('Reshape', [slice, graph.constant([0, steps], [2])]);
  const quantiles = QUANTILES.map((_, index) =>
    graph.node('Add', [median, graph.constant(Float32Array.of((index - 3) / 10), [1])]),
  );
  graph.node('Concat', quantiles, { axis: 1 });
  return graph.build('yesterday', inputPorts(steps), outputPort(steps));
}

test('another network with the same inputs and output takes the place of ours once it is described anew', async () => {
  const dir = await copy();
  for (const name of ['forecast.int8.onnx', 'forecast.float32.onnx']) await rewrite(dir, name, yesterday);
  const foreign = await openForecaster(await readBundle(dir), 'int8');
  await expect(checkGolden(await readBundle(dir), foreign)).rejects.toMatchObject({ code: 'bundle.golden_mismatch' });
  await foreign.close();
  const bundle = await train(join(root, 'foreign'), { forecastFrom: dir, theftFrom: whole });
  const forecaster = await openForecaster(bundle, 'int8');
  await checkGolden(bundle, forecaster);
  const [series] = homes;
  if (series === undefined) throw new Error('no household');
  const [row] = await forecaster.predict([{ window: windowAt({ series, origin: 2 * WINDOW_SLOTS }) }]);
  expect(row?.watts[MEDIAN]).toBeCloseTo(series.powerW[WINDOW_SLOTS] ?? 0, 0);
  await forecaster.close();
});

test('a network whose answers are no numbers gives finite watts, and does not pass its golden outputs', async () => {
  const graph = createGraph();
  const width = HORIZONS.length * QUANTILES.length;
  const none = graph.constant(new Float32Array(width).fill(Number.NaN), [1, width]);
  const first = graph.node('Slice', ['context', ...[0, 1, 1].map((number) => graph.constant([number], [1]))]);
  graph.node('Add', [first, none]);
  const model = graph.build('nothing', inputPorts(HORIZONS.length), outputPort(HORIZONS.length));
  const dir = await copy();
  await rewrite(dir, 'forecast.int8.onnx', () => model);
  const bundle = await readBundle(dir);
  const forecaster = await openForecaster(bundle, 'int8');
  const rows = await forecaster.predict(bundle.golden.cases.map(({ history }) => history));
  expect(rows.every(({ watts }) => watts.every(Number.isFinite))).toBe(true);
  await expect(checkGolden(bundle, forecaster)).rejects.toMatchObject({ code: 'bundle.golden_mismatch' });
  await forecaster.close();
});

test('a model with another input or output is refused by what it lacks', async () => {
  const graph = createGraph();
  graph.node('Neg', ['history']);
  const port = { name: 'history', dims: ['meters', WINDOW_SLOTS] };
  const model = graph.build('foreign', [port], outputPort(HORIZONS.length));
  const dir = await copy();
  await rewrite(dir, 'forecast.int8.onnx', () => model);
  await expect(openForecaster(await readBundle(dir), 'int8')).rejects.toMatchObject({
    code: 'bundle.unreadable',
    message: expect.stringMatching(/no input “window” of float32 \[meters, 288\].*nothing for its input “history”/),
  });
});

test.each([
  ['that never changes', 230, 'is always 230 W'],
  ['without a single value', Number.NaN, 'no slot has a value'],
])('series %s teach nothing, and the error says what stands in them and what to do', async (_, watts, message) => {
  const still = homes.map((home) => ({ ...home, powerW: home.powerW.map(() => watts) }));
  await expect(train(join(root, 'still'), { series: still })).rejects.toMatchObject({
    code: 'model.no_data',
    message: expect.stringContaining(message),
    action: expect.stringContaining('Where no series ever changes'),
  });
});

test('a home that never changes among others, and one full of gaps, are forecast in finite watts', async () => {
  const bundle = await readBundle(whole);
  const forecaster = await openForecaster(bundle, 'int8');
  const endMs = bundle.golden.cases[0]?.history.window.endMs ?? epochMs(0);
  const windowOf = (at: (slot: number) => number) => {
    const values = Float32Array.from({ length: WINDOW_SLOTS }, (_, slot) => at(slot));
    return { window: { endMs, values } };
  };
  const usual = (slot: number) => 300 + 200 * Math.sin(slot / 20);
  const bad = [
    () => 0,
    () => 230,
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    (slot: number) => (slot % 3 === 0 ? usual(slot) : Number.NaN),
    (slot: number) => (slot === 150 ? 3e38 : usual(slot)),
  ];
  const [alone] = await forecaster.predict([windowOf(usual)]);
  const rows = await forecaster.predict([usual, ...bad].map(windowOf));
  await forecaster.close();
  for (const { watts } of rows) expect(watts.every(Number.isFinite)).toBe(true);
  // Nor do they spoil the forecast of the one beside them, with which they share the range of the quantised LSTM.
  const [low = 0, high = 0] = [rows[0]?.watts[LOW], rows[0]?.watts[HIGH]];
  expect(Math.abs((rows[0]?.watts[MEDIAN] ?? 0) - (alone?.watts[MEDIAN] ?? 0))).toBeLessThan(0.05 * (high - low));
});

test('another network under the same name does not pass its golden outputs', async () => {
  const other = join(root, 'other');
  await train(other, { seed: 10 });
  const dir = await copy();
  const network = await readFile(join(other, 'forecast.int8.onnx'));
  await rewrite(dir, 'forecast.int8.onnx', () => network);
  const bundle = await readBundle(dir);
  const forecaster = await openForecaster(bundle, 'int8');
  await expect(checkGolden(bundle, forecaster)).rejects.toMatchObject({ code: 'bundle.golden_mismatch' });
  await forecaster.close();
});

test('the shortest history that is said to be enough is enough, and one slot less is not', async () => {
  const one = homes.slice(0, 1).map((home) => ({ ...home, powerW: home.powerW.subarray(0, FEWEST_SLOTS) }));
  const { manifest } = await train(join(root, 'short'), { series: one });
  expect(manifest.evaluation.forecasts).toBeGreaterThan(0);
  const shorter = one.map((home) => ({ ...home, powerW: home.powerW.subarray(1) }));
  await expect(train(join(root, 'shorter'), { series: shorter })).rejects.toMatchObject({ code: 'model.no_data' });
});
