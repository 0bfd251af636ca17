import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetPower } from './fleet-power.js';
import { createSmallFleet } from './generated-fleet.js';
import { selfTestEval } from './self-test-command.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-self-test-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

const REPORTED = () => join(dir, 'reported.csv');

async function writeFleet({ meters, feeders, startMs, days }: FleetPower): Promise<void> {
  const table = (columns: readonly { readonly name: string; readonly powerW: Float32Array }[]) => {
    const lines = Array.from({ length: days * 48 }, (_, slot) => {
      const time = new Date(startMs + slot * 1_800_000).toISOString().slice(0, 19);
      return [time, ...columns.map(({ powerW }) => ((powerW[slot] as number) / 2_000).toFixed(4))].join();
    });
    return [['time', ...columns.map(({ name }) => name)].join(), ...lines].join('\n');
  };
  await writeFile(REPORTED(), table(meters.map(({ meter, powerW }) => ({ name: meter, powerW }))));
  await writeFile(join(dir, 'feeders.csv'), table(feeders.map(({ feeder, powerW }) => ({ name: feeder, powerW }))));
  const topology = ['meter,feeder', ...meters.map(({ meter, feeder }) => `${meter},${feeder}`)];
  await writeFile(join(dir, 'topology.csv'), `${topology.join('\n')}\n`);
}

async function call(...options: string[]): Promise<string> {
  const say = vi.spyOn(console, 'log').mockReturnValue();
  const command = selfTestEval()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  await command.parseAsync(['--reported', REPORTED(), '--rounds', '1', ...options], { from: 'user' });
  return String(say.mock.lastCall?.[0]);
}

async function run(days: number, ...options: string[]): Promise<string> {
  await writeFleet(createSmallFleet({ meters: 20, days }));
  return await call(...options);
}

test('a fleet’s own file is enough: what would be found of each theft, and how often it would be wrong', async () => {
  const strict = JSON.parse(await run(100, '--json')) as { thefts: number; recall: number };
  expect(strict).toMatchObject({ thefts: 2, false_alarms_per_100_meter_days: expect.any(Number) });
  const asked = JSON.parse(await run(100, '--json', '--contamination', '0.02')) as typeof strict;
  expect(asked.recall).toBeGreaterThanOrEqual(strict.recall);
  expect(await run(100)).toMatch(
    /all +2 +\d+\.\d %\n\nhalf of the thefts found by: .+\nfalse alarms: \d\.\d{3} episodes/,
  );
}, 120_000);

test('too few days, and a bundle of other slots, are named', async () => {
  await expect(run(78)).rejects.toThrow(/78 days, 79 are needed/);
  await expect(run(79, '--bundle', 'models/bundles/default-5min')).rejects.toMatchObject({
    code: 'bundle.incompatible',
  });
});

test('a single meter cannot be trained on and tested; with a model it can, and steals', async () => {
  await writeFleet(createSmallFleet({ meters: 1, feeders: 1, days: 79 }));
  await expect(call()).rejects.toThrow(/two meters are needed/);
  await expect(call('--feeders', join(dir, 'feeders.csv'), '--topology', join(dir, 'topology.csv'))).rejects.toThrow(
    /or two feeders/,
  );
  const shipped = ['--bundle', 'models/bundles/default-30min'];
  expect(JSON.parse(await call('--json', ...shipped))).toMatchObject({ thefts: 1 });
});

test('a contamination that no gateway takes is refused', async () => {
  for (const share of ['0.0049', '0.021', '', '1'])
    await expect(call('--contamination', share)).rejects.toThrow(/not a share from 0.005 to 0.02/);
});

test('with files of the feeders the thefts are also looked for beside their balance', async () => {
  const files = ['--feeders', join(dir, 'feeders.csv'), '--topology', join(dir, 'topology.csv')];
  const result = JSON.parse(await run(100, '--json', ...files)) as { with_feeders: object };
  expect(result.with_feeders).toMatchObject({ thefts: 2, recall: expect.any(Number) });
  expect(await run(100, ...files)).toMatch(/^meters alone\n[\s\S]+\n\nbeside the balance of their feeders\n[\s\S]+/);
  await expect(run(100, '--feeders', join(dir, 'feeders.csv'))).rejects.toThrow(/given together/);
  const warn = vi.spyOn(console, 'error').mockReturnValue();
  await appendFile(join(dir, 'topology.csv'), 'elsewhere,1\n');
  await call(...files);
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/^1 meter .*\(elsewhere\): .*feeder 1 says nothing$/)]]);
}, 120_000);
