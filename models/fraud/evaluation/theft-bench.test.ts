import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSmallFleet, withReport } from '../generated-fleet.js';
import { loadLabelledRows } from './labelled-rows.js';
import { writePages } from './pages.js';
import { InputFileError } from './table-file.js';
import { type BenchFiles, loadReported, loadTheftBench } from './theft-bench.js';
import { evaluateTheft } from './theft-eval.js';
import { listVisits } from './visit-list.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ww-theft-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const FILES: Readonly<Record<keyof BenchFiles, string>> = {
  reported: 'tstp,a,b\n2013-01-01 00:00:00,0.1,\n2013-01-01 01:00:00,0.2,0.4\n2013-01-01 23:00:00,0.2,0.4\n',
  feeders: 'tstp,feeder0\n2013-01-01 00:00:00,0.5\n2013-01-01 01:00:00,0.7\n2013-01-01 23:00:00,0.7\n',
  topology: 'meter,feeder\na,0\n',
  labels: 'meter,type,first_day,last_day,alpha,feeder\na,FDI1,2013-01-01,2013-01-01,0.5,0\n',
};

async function load(changed: Partial<Record<keyof BenchFiles, string>> = {}) {
  const paths = { reported: '', feeders: '', topology: '', labels: '' };
  for (const [name, text] of Object.entries({ ...FILES, ...changed })) {
    paths[name as keyof BenchFiles] = join(dir, `${name}.csv`);
    await writeFile(paths[name as keyof BenchFiles], text);
  }
  return await loadTheftBench(paths);
}

test('energy becomes mean power, blanks are missing, and a meter may have no feeder', async () => {
  const { fleet, labels } = await load();
  expect(fleet).toMatchObject({ slotsPerDay: 24, days: 1 });
  expect(fleet.meters[0]?.feeder).toBe('0');
  expect(fleet.meters[0]?.powerW[1]).toBeCloseTo(200, 4);
  expect(fleet.meters[1]).not.toHaveProperty('feeder');
  expect(fleet.meters[1]?.powerW[0]).toBeNaN();
  expect(labels).toEqual([{ meter: 'a', type: 'FDI1', firstDay: 0, lastDay: 0 }]);
});

test('a meter that stands in the topology alone is not dropped: its feeder tells of it', async () => {
  const { fleet } = await load({ topology: 'meter,feeder\na,0\nz,0\nq,9\n' });
  expect(fleet.feeders).toMatchObject([{ feeder: '0', unreported: ['z'] }]);
  expect((await load()).fleet.feeders[0]).not.toHaveProperty('unreported');
});

test.each([
  ['reported', '', /empty/],
  ['reported', 'tstp,a\n', /no row/],
  ['reported', FILES.reported.replace('0.2', 'x'), /line 3: “x” is not a number/],
  ['reported', FILES.reported.replace('0.2,', ''), /line 3: 2 columns, not 3/],
  ['reported', FILES.reported.replace('01:00', '00:07'), /minutes/],
  ['reported', 'tstp,a\n2013-01-01,1\n2013-01-02,1\n', /slots of 1440 minutes, .* an hour at most/],
  ['reported', 'tstp,a\n2013-01-01,1\n', /one row/],
  ['reported', FILES.reported.replace('0.2,0.4', '0.2,-1e10'), /line 3: -1e10 kWh is more than any meter/],
  ['reported', FILES.reported.replaceAll('2013-01-01', '2013-02-31'), /line 2: “2013-02-31 00:00:00” is not a time/],
  ['feeders', FILES.feeders.replace('0.7', '1e36'), /feeders\.csv, line 3: 1e36 kWh is more than any meter/],
  ['feeders', FILES.feeders.replaceAll('01-01', '01-02'), /other times/],
  ['topology', 'meter,feeder\na,7\n', /feeder “7” has no column/],
  ['topology', 'meter,feeder\na,0\nb,0\na,0\n', /topology\.csv, line 4: “a” is listed a second time/],
  ['topology', 'meter\na\n', /no column “feeder”/],
  ['labels', FILES.labels.replace('a,FDI1', 'z,FDI1'), /nothing is reported of “z”/],
  ['labels', FILES.labels.replace('2013-01-01,0.5', '2014-01-01,0.5'), /days are not among/],
  ['labels', FILES.labels.replace('2013-01-01,0.5', '2013-01-32,0.5'), /line 2: “2013-01-32” is not a time/],
] as const)('a bad %s file ends with the line and the rule', async (name, text, words) => {
  await expect(load({ [name]: text })).rejects.toThrow(words);
});

test('an archive that is cut off, or a file that is not there, is named', async () => {
  const path = join(dir, 'cut.csv.gz');
  await writeFile(path, gzipSync(FILES.reported).subarray(0, 60));
  await expect(loadReported(path)).rejects.toThrow(/cut\.csv\.gz: unexpected end of file/);
  await expect(loadReported(path)).rejects.toBeInstanceOf(InputFileError);
  await expect(loadReported(dir)).rejects.toThrow(`${dir}: EISDIR`);
});

test('a table for the forest needs numbers, a label, and both kinds', async () => {
  const path = join(dir, 'rows.csv');
  const rejects = async (text: string, words: RegExp) => {
    await writeFile(path, text);
    await expect(loadLabelledRows(path)).rejects.toThrow(words);
  };
  await rejects('x0,y\n1,0\n', /last column/);
  await rejects('x0,label\nNaN,0\n', /line 2: “NaN”/);
  await rejects('x0,label\n1,0\n1e39,1\n', /rows\.csv, line 3: 1e39 is more than a forest takes/);
  await rejects('x0,label\n1,2\n', /label “2”/);
  await rejects('x0,label\n1,0\n', /both kinds/);
});

test('the whole evaluation of a small fleet: found with the feeder, in the shape that is documented, with pages', async () => {
  const clean = createSmallFleet({ meters: 12, feeders: 2, days: 130 });
  const fleet = withReport(clean, 4, {
    fromDay: 112,
    report: (watts, slot) => (slot < 124 * 48 ? watts * 0.4 : watts),
  });
  const labels = [{ meter: 'meter-4', type: 'FDI1', firstDay: 112, lastDay: 123 }];
  const disturbances = { technicalLoss: 0.03, feederNoise: 0.005, dayNoise: 0.002, missingMeters: 0, seed: 1 };
  const results = evaluateTheft({ bench: { fleet, labels }, testFromDay: 105, disturbances });
  const { feeder, no_feeder, ranking, episodes, baselines } = results.evaluation;
  expect(feeder.auc).toBeGreaterThan(0.97);
  expect(no_feeder.per_attack).toHaveProperty('FDI1');
  expect(ranking).toMatchObject({ k: 1, hits_feeder: 1 });
  expect(ranking.median_days_to_detect).toBeLessThanOrEqual(3);
  expect(episodes).toMatchObject({ thieves_found_share: 1, honest_meters_touched_share: 0 });
  expect(Object.keys(baselines)).toEqual(['raw_forest', 'best_rule', 'loss_ratio_rule', 'boosted_known_attacks']);
  for (const { auc } of Object.values(baselines)) expect(auc).toBeGreaterThan(0.4);
  expect(JSON.stringify(results.evaluation)).not.toMatch(/null|NaN/);
  const [visit, ...others] = listVisits(results, 0.25);
  expect(visit).toMatchObject({ meter: 'meter-4' });
  expect(others).toEqual([]);
  const { firstDay = 0, lastDay = 0, worth } = visit ?? {};
  const stolenDays = [firstDay * 48, (Math.min(lastDay, 123) + 1) * 48] as const;
  const stolenWh =
    (clean.meters[4]?.powerW.slice(...stolenDays).reduce((sum, watts) => sum + watts, 0) ?? 0) * 0.6 * 0.5;
  expect((worth?.lostWh ?? 0) / stolenWh).toBeGreaterThan(0.8);
  expect((worth?.lostWh ?? 0) / stolenWh).toBeLessThan(1.25);
  expect(worth?.confidence).toBeGreaterThan(0.8);
  await writePages(dir, results, 0.25);
  expect(await readFile(join(dir, 'index.html'), 'utf8')).toMatch(
    new RegExp(`<h2>Visits.*<td>meter-4</td>.*<td>${worth?.recoverable.toFixed(2)}</td><td>FDI1</td>`),
  );
  expect(await readdir(dir)).toEqual(
    expect.arrayContaining(['index.html', 'meter-4-112.html', 'precision-recall.svg', 'roc.svg']),
  );
  const page = await readFile(join(dir, 'meter-4-112.html'), 'utf8');
  expect(page).toMatch(/found on day [123]\b/);
  expect(page).toMatch(/<blockquote lang="en">Reported .* its feeder lost .* which fits a bypass of this meter\./);
  expect(page).toMatch(/<blockquote lang="fr">A déclaré .* son départ a perdu .* une dérivation de ce compteur\./);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  const missed = [{ meter: 'meter-7', type: 'none', firstDay: 112, lastDay: 123 }];
  await writePages(dir, { ...results, withFeeder: { ...results.withFeeder, labels: missed } }, 0.25);
  const ofMissed = await readFile(join(dir, 'meter-7-112.html'), 'utf8');
  expect(ofMissed).toMatch(/With feeders: missed/);
  expect(ofMissed).toMatch(/On its oddest day, 2024-0(?:4-[23]\d|5-0\d), an inspector reads:.*Reported .*A déclaré /);
  expect(ofMissed).not.toMatch(/NaN|Infinity|undefined/);
}, 120_000);
