import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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

async function run(days: number, ...options: string[]): Promise<string> {
  const fleet = createSmallFleet({ meters: 20, days });
  const { meters, feeders, startMs } = fleet;
  const table = (columns: readonly { readonly name: string; readonly powerW: Float32Array }[]) => {
    const lines = Array.from({ length: days * 48 }, (_, slot) => {
      const time = new Date(startMs + slot * 1_800_000).toISOString().slice(0, 19);
      return [time, ...columns.map(({ powerW }) => ((powerW[slot] as number) / 2_000).toFixed(4))].join();
    });
    return [['time', ...columns.map(({ name }) => name)].join(), ...lines].join('\n');
  };
  const reported = join(dir, 'reported.csv');
  await writeFile(reported, table(meters.map(({ meter, powerW }) => ({ name: meter, powerW }))));
  await writeFile(join(dir, 'feeders.csv'), table(feeders.map(({ feeder, powerW }) => ({ name: feeder, powerW }))));
  const topology = ['meter,feeder', ...meters.map(({ meter, feeder }) => `${meter},${feeder}`)];
  await writeFile(join(dir, 'topology.csv'), `${topology.join('\n')}\n`);
  const say = vi.spyOn(console, 'log').mockReturnValue();
  await selfTestEval().parseAsync(['--reported', reported, '--rounds', '1', ...options], { from: 'user' });
  return String(say.mock.lastCall?.[0]);
}

test('a fleet’s own file is enough: what would be found of each theft, and how often it would be wrong', async () => {
  const strict = JSON.parse(await run(100, '--json')) as { thefts: number; recall: number };
  expect(strict).toMatchObject({ thefts: 2, false_alarms_per_100_meter_days: expect.any(Number) });
  const asked = JSON.parse(await run(100, '--json', '--contamination', '0.02')) as typeof strict;
  expect(asked.recall).toBeGreaterThanOrEqual(strict.recall);
  expect(await run(100)).toMatch(
    /all +2 +\d+\.\d %\n\nhalf of the thefts found by: .+\nfalse alarms: \d\.\d{3} episodes/,
  );
});

test('too few days, and a bundle of other slots, are named', async () => {
  await expect(run(78)).rejects.toThrow(/78 days, 79 are needed/);
  await expect(run(79, '--bundle', 'models/bundles/default-5min')).rejects.toMatchObject({
    code: 'bundle.incompatible',
  });
});

test('with files of the feeders the thefts are also looked for beside their balance', async () => {
  const files = ['--feeders', join(dir, 'feeders.csv'), '--topology', join(dir, 'topology.csv')];
  const result = JSON.parse(await run(100, '--json', ...files)) as { with_feeders: object };
  expect(result.with_feeders).toMatchObject({ thefts: 2, recall: expect.any(Number) });
  expect(await run(100, ...files)).toMatch(/^meters alone\n[\s\S]+\n\nbeside the balance of their feeders\n[\s\S]+/);
  await expect(run(100, '--feeders', join(dir, 'feeders.csv'))).rejects.toThrow(/given together/);
});
