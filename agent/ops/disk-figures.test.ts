import { afterEach, expect, test } from 'vitest';
import type { WrittenBytes } from '../domain/disk.js';
import { silentLogger } from '../domain/log.js';
import { createMetrics, type Metrics } from '../domain/metrics.js';
import { createDiskFigures, type FiguresPart } from './disk-figures.js';
import { createSleeperClock } from './sleeper-clock.fixture.js';

const GB = 1e9;
const MINUTE_MS = 60_000;
const NONE = { readings: 0, slots: 0, analysis: 0, settled: 0, maintenance: 0, checkpoints: 0, other: 0 };

const opened: FiguresPart[] = [];
afterEach(async () => {
  for (const figures of opened.splice(0)) await figures.stop(new AbortController().signal);
});

async function openScene() {
  const world = {
    growthPerDay: undefined as number | undefined,
    droppableBytes: 0,
    usableBytes: 50 * GB,
    written: NONE as WrittenBytes,
    writtenLastDay: 0,
    writtenPerDay: undefined as number | undefined,
    saves: 0,
  };
  const clock = createSleeperClock(Date.UTC(2026, 0, 15, 12));
  const metrics = createMetrics();
  const figures = createDiskFigures(
    {
      rules: { bytesPerDay: 5 * GB, windowMs: 280, cardBytes: 20_000 * GB },
      endurance: {
        growthPerDay: () => world.growthPerDay,
        droppableBytes: () => world.droppableBytes,
        writtenLastDay: () => world.writtenLastDay,
        writtenPerDay: () => world.writtenPerDay,
        saveWritten() {
          world.saves += 1;
        },
      },
      written: () => world.written,
      disk: () => ({
        step: 'ample',
        sinceMs: 0,
        usableBytes: world.usableBytes,
        ballastBytes: 0,
        walBytes: 0,
        dropped: 0,
        thinned: 0,
      }),
    },
    { clock, random: () => 0, log: silentLogger, metrics },
  );
  opened.push(figures);
  await figures.start();
  await clock.pass(0);
  return { world, clock, metrics, figures };
}

async function gaugeOf(metrics: Metrics, name: string): Promise<number | undefined> {
  return (await metrics.toJson()).find((series) => series.name === name)?.values[0]?.value;
}

test('room lasts for what is usable and what may be dropped, at the growth of a day', async () => {
  const { world, clock, metrics, figures } = await openScene();
  expect(figures.figures.autonomyDays).toBeNull();
  world.growthPerDay = 2 * GB;
  world.droppableBytes = 10 * GB;
  await clock.pass(MINUTE_MS);
  expect(figures.figures.autonomyDays).toBe(30);
  expect(await gaugeOf(metrics, 'wattwarden_disk_autonomy_seconds')).toBe(30 * 86_400);
});

test('the card lasts by what the last days wrote, at first by what was written since the start', async () => {
  const { world, clock, metrics, figures } = await openScene();
  world.written = { ...NONE, readings: GB };
  await clock.pass(5 * MINUTE_MS);
  expect(figures.figures.cardLifeDays).toBeNull();
  await clock.pass(7 * MINUTE_MS);
  expect(figures.figures.writtenPerDay).toBeCloseTo(GB * 120, -8);
  world.writtenPerDay = 4 * GB;
  await clock.pass(MINUTE_MS);
  expect(figures.figures.cardLifeDays).toBe(5_000);
  expect(await gaugeOf(metrics, 'wattwarden_card_life_seconds')).toBe(5_000 * 86_400);
  expect(world.saves).toBe(1);
});

test('a day that writes more than the budget widens the window of the commits, one that does not narrows it', async () => {
  const { world, clock, metrics, figures } = await openScene();
  const write = async (bytes: number): Promise<void> => {
    world.written = { ...NONE, readings: world.written.readings + bytes };
    await clock.pass(MINUTE_MS);
  };
  const perMinute = (5 * GB) / 1_440;
  for (let minute = 0; minute < 5; minute += 1) await write(2 * perMinute);
  expect(figures.commitWindowMs).toBe(280);
  world.writtenLastDay = 6 * GB;
  for (let minute = 0; minute < 5; minute += 1) await write(2 * perMinute);
  expect(figures.commitWindowMs).toBe(1_000);
  expect(await gaugeOf(metrics, 'wattwarden_commit_window_seconds')).toBe(1);
  world.writtenLastDay = 4 * GB;
  for (let minute = 0; minute < 5; minute += 1) await write(perMinute / 2);
  expect(figures.commitWindowMs).toBe(280);
});
