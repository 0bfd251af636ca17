import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { seededRandom } from '../../agent/domain/clock.js';
import { type Ended, runProgram } from '../kit/program.js';

/** Trainings, small ones, on a machine that may be busy. */
vi.setConfig({ testTimeout: 180_000 });

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const TRAIN = pathOf('dist/models/train.js');
const EVAL = pathOf('dist/models/eval.js');
const SHIPPED = pathOf('models/bundles/default-30min');
const DAYS = 34;
const CHECKPOINT = 'forecast.checkpoint';

let root: string;
let csv: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wattwarden-commands-'));
  csv = await homes('homes.csv', 'time,first,second');
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function homes(name: string, header: string): Promise<string> {
  const random = seededRandom(11);
  const rows = Array.from({ length: DAYS * 48 }, (_, slot) => {
    const time = new Date(Date.UTC(2024, 0, 1) + slot * 1_800_000).toISOString();
    const load = () => (0.4 + 0.3 * Math.sin((slot / 24) * Math.PI) + 0.1 * random()).toFixed(4);
    return `${time},${load()},${load()}`;
  });
  const path = join(root, name);
  await writeFile(path, [header, ...rows].join('\n'));
  return path;
}

/** Two weeks of the file; the theft model is the shipped one, or its trees would take most of the time. */
const training = (work: string, out: string): string[] => [
  ...[TRAIN, '--csv', csv, '--step', '30m', '--until', '2024-01-16', '--epochs', '2', '--theft-from', SHIPPED],
  ...['--work', join(root, work), '--out', join(root, out)],
];

const node = (...given: readonly string[]): Promise<Ended> => runProgram(process.execPath, ...given);

/** As the kernel does when memory is short: in the middle of the second of two epochs. */
async function killedAfterOneEpoch(given: readonly string[]): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, given, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => {
    if (chunk.includes('epoch 1 of 2')) child.kill('SIGKILL');
  });
  return await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
}

test('a training that is killed goes on where it was, to the bytes of one that was not; they can be measured', async () => {
  const uninterrupted = await node(...training('work-1', 'whole'));
  expect(uninterrupted.output).toContain('epoch 2 of 2');
  expect(uninterrupted.code).toBe(0);

  expect(await killedAfterOneEpoch(training('work-2', 'killed'))).toBe('SIGKILL');
  expect(await readdir(join(root, 'work-2'))).toContain(CHECKPOINT);
  await expect(readdir(join(root, 'killed'))).rejects.toThrow('ENOENT');
  const continued = await node(...training('work-2', 'killed'));
  expect(continued.output).not.toContain('epoch 1 of 2');
  expect(continued.output).toContain('epoch 2 of 2');
  expect(continued.code).toBe(0);
  const files = await readdir(join(root, 'whole'));
  expect(files).toContain('manifest.json');
  expect(await readdir(join(root, 'killed'))).toEqual(files);
  for (const file of files) {
    const [whole, killed] = await Promise.all(['whole', 'killed'].map((dir) => readFile(join(root, dir, file))));
    expect(whole?.equals(killed ?? Buffer.of()), file).toBe(true);
  }

  const measured = ['forecast', '--csv', csv, '--step', '30m', '--horizon', '1', '--json', '--per-meter'];
  const { code, output } = await node(EVAL, ...measured, '--bundle', join(root, 'whole'));
  expect(code).toBe(0);
  const document = JSON.parse(output.slice(output.indexOf('{')));
  expect(document).toMatchObject({ unit: 'kWh', slot_minutes: 30, meters: 2 });
  expect(document.horizons['1'].model.mae).toBeLessThan(document.horizons['1'].persistence.mae);
  expect(Object.keys(document.mae_per_meter['1'])).toEqual(['first', 'second']);
});

test('what cannot be done ends with a word about it, and with 1', async () => {
  await mkdir(join(root, 'garbage'));
  await writeFile(join(root, 'garbage', CHECKPOINT), 'garbage');
  const noHeader = await homes('no-header.csv', '2023-12-31T23:30:00Z,0.4,0.4');
  const evaluate = [EVAL, 'forecast', '--step', '30m', '--csv'];
  const refused: [given: string[], message: string][] = [
    [[...training('none', 'none'), '--epochs', '0'], "'--epochs <n>' argument '0' is invalid. at least 1"],
    [training('garbage', 'none'), `${join(root, 'garbage', CHECKPOINT)}: its first line`],
    [[...evaluate, csv, '--train', '--horizon', '1-60'], '--horizon 1-60: slots of 30 minutes have 1, 1-48'],
    [[...evaluate, csv, '--folds', '1'], 'at least 2'],
    [[...evaluate, noHeader], 'no-header.csv: line 1 begins with a time'],
  ];
  for (const [given, message] of refused) {
    const { code, output } = await node(...given);
    expect(output).toContain(message);
    expect(output).not.toMatch(/^ +at /m);
    expect(code, message).toBe(1);
  }
  expect(await readdir(root)).not.toContain('none');
});
