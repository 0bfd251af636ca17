import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forestEval, theftEval } from './eval.js';
import { InputFileError } from './evaluation/table-file.js';
import { createSmallFleet, withReport } from './generated-fleet.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-eval-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

interface Said {
  readonly out: readonly string[];
  readonly err: readonly string[];
}

async function call(command: Command, ...options: string[]): Promise<Said> {
  const out = vi.spyOn(console, 'log').mockReturnValue();
  const err = vi.spyOn(console, 'error').mockReturnValue();
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(options, { from: 'user' });
  return { out: out.mock.calls.map(String), err: err.mock.calls.map(String) };
}

const theft = (...options: string[]) => call(theftEval(), ...options);
const forest = (...options: string[]) => call(forestEval(), ...options);
const file = (name: string) => join(dir, `${name}.csv`);
const FILES = ['reported', 'feeders', 'topology', 'labels'].flatMap((name) => [`--${name}`, name]);
const files = () => FILES.map((word) => (word.startsWith('--') ? word : file(word)));

const FIRST = Date.UTC(2024, 0, 1);
const dateOf = (day: number) => new Date(FIRST + day * 86_400_000).toISOString().slice(0, 10);

/** One thief, from day 92 to day 103; the topology knows of a meter that nobody reads. */
async function writeBench(days: number): Promise<void> {
  const whole = createSmallFleet({ meters: 10, feeders: 2, days });
  const { meters, feeders } = withReport(whole, 4, { fromDay: 92, report: (watts) => watts * 0.4 });
  const table = (columns: readonly { readonly name: string; readonly powerW: Float32Array }[]) => {
    const lines = Array.from({ length: days * 48 }, (_, slot) => {
      const time = new Date(FIRST + slot * 1_800_000).toISOString().slice(0, 19);
      return [time, ...columns.map(({ powerW }) => ((powerW[slot] as number) / 2_000).toFixed(4))].join();
    });
    return [['time', ...columns.map(({ name }) => name)].join(), ...lines].join('\n');
  };
  await writeFile(file('reported'), table(meters.map(({ meter, powerW }) => ({ name: meter, powerW }))));
  await writeFile(file('feeders'), table(feeders.map(({ feeder, powerW }) => ({ name: `feeder${feeder}`, powerW }))));
  const topology = ['meter,feeder', ...meters.map(({ meter, feeder }) => `${meter},${feeder}`), 'nobody,1'];
  await writeFile(file('topology'), `${topology.join('\n')}\n`);
  await writeFile(file('labels'), `meter,type,first_day,last_day\nmeter-4,FDI1,${dateOf(92)},${dateOf(days - 1)}\n`);
}

test('theft takes files, or a simulated street, and how they are disturbed', () => {
  const options = theftEval().options.map(({ long, defaultValue }) => [long, defaultValue]);
  expect(Object.fromEntries(options)).toEqual({
    '--reported': undefined,
    '--tariff': 0.25,
    '--feeders': undefined,
    '--topology': undefined,
    '--labels': undefined,
    '--test-from': undefined,
    '--simulated': undefined,
    '--technical-loss': 0,
    '--feeder-noise': 0,
    '--day-noise': 0,
    '--missing-meters': undefined,
    '--seed': 1,
    '--pages': undefined,
    '--json': undefined,
  });
});

test.each([
  ['--test-from', '2024-02-31', /not a day/],
  ['--test-from', '2024-02', /not a day/],
  ['--seed', '1e300', /not a whole number/],
  ['--missing-meters', '-1', /not a whole number/],
  ['--technical-loss', '1', /not a share/],
  ['--step', '30m', /unknown option/],
] as const)('theft refuses %s %s', async (option, value, words) => {
  await expect(theft(option, value)).rejects.toThrow(words);
});

test('theft misses a file, the first day of the test, or one that the files tell of', async () => {
  await expect(theft('--reported', file('reported'))).rejects.toThrow(/each name a file/);
  await expect(theft(...files())).rejects.toThrow(/^--test-from: .* is missing$/);
  await writeBench(93);
  for (const day of [dateOf(0), dateOf(93)])
    await expect(theft(...files(), '--test-from', day)).rejects.toThrow(/93 days from 2024-01-01 on/);
});

test('a theft before the test is refused: it would be trained on as clean', async () => {
  await writeBench(94);
  const words = `“meter-4” steals from ${dateOf(92)} to ${dateOf(93)}, but days before --test-from ${dateOf(93)}`;
  await expect(theft(...files(), '--test-from', dateOf(93))).rejects.toThrow(words);
});

test('more silent meters than there are is refused in words', async () => {
  await writeBench(93);
  const asked = theft(...files(), '--test-from', dateOf(85), '--missing-meters', '11');
  await expect(asked).rejects.toBeInstanceOf(InputFileError);
});

test('theft prints one document, writes its pages, and says on stderr whose balance stays silent', async () => {
  await writeBench(104);
  const pages = join(dir, 'pages');
  const { out, err } = await theft(...files(), '--test-from', dateOf(80), '--json', '--pages', pages);
  expect(out).toHaveLength(1);
  const evaluation = JSON.parse(String(out[0])) as { readonly feeder: { readonly auc: number } };
  expect(Object.keys(evaluation)).toEqual(['no_feeder', 'feeder', 'ranking', 'episodes', 'baselines']);
  expect(evaluation).toMatchObject({ ranking: { k: 1, hits_feeder: 1 }, episodes: { thieves_found_share: 1 } });
  expect(err).toEqual([expect.stringMatching(/^1 meter .*\(nobody\): the balance of feeder 1 says nothing$/)]);
  expect(await readdir(pages)).toContain('meter-4-92.html');
}, 120_000);

test('forest needs a table, prints a line, or one document', async () => {
  await expect(forest()).rejects.toThrow(/required option '--csv <file>'/);
  const rows = Array.from({ length: 60 }, (_, row) => (row % 20 === 0 ? `9,${row},1` : `${row % 7},${row % 5},0`));
  await writeFile(file('rows'), ['x,y,label', ...rows].join('\n'));
  const { out } = await forest('--csv', file('rows'), '--seeds', '2', '--json');
  expect(out).toHaveLength(1);
  expect(JSON.parse(String(out[0]))).toMatchObject({ rows: 60, features: 2, anomalies: 3, seeds: 2 });
  const line = await forest('--csv', file('rows'));
  expect(line.out.at(-1)).toMatch(/^60 rows, 2 features, 3 anomalies; 5 forests: AUC \d\.\d{4} ± .*, AP \d\.\d{4}$/);
});
