import { afterEach, expect, test } from 'vitest';
import type { DiskStep } from '../domain/disk.js';
import { WattwardenError } from '../domain/errors.js';
import { silentLogger } from '../domain/log.js';
import { createMetrics, type Metrics } from '../domain/metrics.js';
import { createDiskWatch, type DiskWatch } from './disk-watch.js';
import { createSleeperClock } from './sleeper-clock.fixture.js';

const MIB = 1_048_576;
const RULES = { reserveBytes: 16 * MIB, ballastBytes: 4 * MIB, walBytes: 2 * MIB };
/** Rows that one step of relief deletes, and the room inside the file that it makes. */
const STEP = { rows: 100, bytes: MIB };

const opened: DiskWatch[] = [];
afterEach(async () => {
  for (const watch of opened.splice(0)) await watch.stop(new AbortController().signal);
});

/** A disk, a file on it and another thread, as far as the watch sees them. */
async function openScene(at: { freeBytes: number; settledRows?: number; slottedRows?: number }) {
  const world = {
    settledRows: 0,
    slottedRows: 0,
    reusableBytes: 0,
    walBytes: 0,
    ballastBytes: RULES.ballastBytes,
    isThreadThere: true,
    ...at,
  };
  const did: string[] = [];
  const clock = createSleeperClock(Date.UTC(2026, 0, 15, 12));
  const metrics = createMetrics();
  const full = (): void => {
    if (world.freeBytes <= 0 && world.reusableBytes <= 0) throw new WattwardenError('buffer.full', 'no room');
  };
  function take(from: 'settledRows' | 'slottedRows'): number {
    const rows = Math.min(STEP.rows, world[from]);
    world[from] -= rows;
    world.reusableBytes += (rows / STEP.rows) * STEP.bytes;
    return rows;
  }
  const watch = createDiskWatch(
    {
      rules: RULES,
      relief: {
        room: () => ({ ...world, growthBytes: 1e12, pendingBytes: 0 }),
        dropSettled: () => take('settledRows'),
        thin: () => take('slottedRows'),
        vacuum: () => 0,
        probe: full,
        checkpoint: () => void did.push('checkpoint by the writer'),
      },
      ballast: {
        get bytes() {
          return world.ballastBytes;
        },
        release() {
          const had = world.ballastBytes > 0;
          world.freeBytes += world.ballastBytes;
          world.ballastBytes = 0;
          return had;
        },
        async fill() {
          world.freeBytes -= RULES.ballastBytes;
          world.ballastBytes = RULES.ballastBytes;
          return 'filled';
        },
      },
      freeBytes: async () => world.freeBytes,
      writtenBytes: () => 0,
      tap: { hold: () => void did.push('hold'), release: () => undefined },
      checkpoint(how) {
        did.push(`ask for ${how}`);
        if (world.isThreadThere) watch.checkpointed();
      },
    },
    { clock, random: () => 0, log: silentLogger, metrics },
  );
  opened.push(watch);
  await watch.start();
  await clock.pass(0);
  return { world, did, watch, clock, metrics, full };
}

async function entered(metrics: Metrics): Promise<ReadonlyMap<DiskStep, number>> {
  const steps = (await metrics.toJson()).find(({ name }) => name === 'wattwarden_disk_steps_total');
  return new Map(steps?.values.map(({ labels, value }) => [labels['step'] as DiskStep, value]));
}

test('with room enough nothing is done', async () => {
  const { watch, did, clock } = await openScene({ freeBytes: 1_000 * MIB, settledRows: 500, slottedRows: 500 });
  await clock.pass(600_000);
  expect(watch.state).toMatchObject({ step: 'ample', dropped: 0, thinned: 0, ballastBytes: RULES.ballastBytes });
  expect(did).toEqual([]);
});

test('the ballast goes first, then what the centre has, then what is in slots, and no more than is needed', async () => {
  const scene = await openScene({ freeBytes: 8 * MIB, settledRows: 500, slottedRows: 5_000 });
  await scene.clock.pass(1_000);
  // Twenty of the sixteen MiB of the reserve are enough: four of the ballast, five dropped, three thinned.
  expect(scene.watch.state).toMatchObject({ step: 'thinning', ballastBytes: 0, dropped: 500, thinned: 300 });
  expect(await entered(scene.metrics)).toEqual(
    new Map([
      ['ample', 0],
      ['ballast', 1],
      ['dropping', 1],
      ['thinning', 1],
      ['refusing', 0],
    ]),
  );
  await scene.clock.pass(6_000);
  expect(scene.watch.state).toMatchObject({ step: 'ample', dropped: 500, thinned: 300 });
});

test('with nothing left to delete nothing is taken in, and within ten seconds of room returning it is again', async () => {
  const scene = await openScene({ freeBytes: 0 });
  scene.world.ballastBytes = 0;
  scene.world.freeBytes = 0;
  await scene.clock.pass(2_000);
  expect(scene.watch.state.step).toBe('refusing');
  expect(scene.did).toContain('hold');
  await scene.clock.pass(3_600_000);
  expect(scene.watch.state.step).toBe('refusing');
  scene.world.freeBytes = 100 * MIB;
  await scene.clock.pass(10_000);
  expect(scene.watch.state.step).toBe('ample');
  await scene.clock.pass(120_000);
  expect(scene.watch.state.ballastBytes).toBe(RULES.ballastBytes);
});

test('a commit that the disk refuses is made with the room of the ballast; without one it fails, and the tap is held', async () => {
  const scene = await openScene({ freeBytes: 1_000 * MIB });
  scene.world.freeBytes = 0;
  let attempts = 0;
  const commit = (): string => {
    attempts += 1;
    scene.full();
    return 'stored';
  };
  expect(scene.watch.write(commit)).toBe('stored');
  expect({ attempts, ballast: scene.world.ballastBytes }).toEqual({ attempts: 2, ballast: 0 });
  scene.world.freeBytes = 0;
  expect(() => scene.watch.write(commit)).toThrow(expect.objectContaining({ code: 'buffer.full' }));
  expect(scene.watch.state.step).toBe('refusing');
  expect(scene.did).toContain('hold');
});

test('a log of writes that the other thread does not move is moved by the writer, and only then', async () => {
  const scene = await openScene({ freeBytes: 1_000 * MIB });
  scene.world.walBytes = 5 * RULES.walBytes;
  await scene.clock.pass(60_000);
  expect(new Set(scene.did)).toEqual(new Set(['ask for passive']));
  scene.did.length = 0;
  scene.world.isThreadThere = false;
  await scene.clock.pass(20_000);
  expect(scene.did).toEqual(['ask for passive', 'ask for passive', 'ask for passive', 'checkpoint by the writer']);
});
