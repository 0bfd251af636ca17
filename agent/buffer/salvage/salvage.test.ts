import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { destroyPage, pagesOf } from '../../../tests/kit/damage.js';
import { silentLogger } from '../../domain/log.js';
import type { BufferOptions } from '../buffer.js';
import type { DamageReport } from '../damage-book.js';
import { type LastingBuffer, openLastingBuffer } from '../lasting-buffer.js';
import { at, type Bench, createBench, meterId, reading } from '../test-kit.js';
import { salvage } from './salvage.js';

let bench: Bench;
let opened: LastingBuffer[] = [];
beforeEach(() => {
  bench = createBench();
  opened = [];
});
afterEach(() => {
  for (const buffer of opened) buffer.close();
  bench.clean();
});

const METERS = ['a', 'b', 'c', 'feeder'];
const EVERY_MS = 20_000;
const ROUNDS = 1_500;
const LAST_MS = ROUNDS * EVERY_MS;

function openLasting(options: Partial<BufferOptions> = {}): LastingBuffer {
  const buffer = openLastingBuffer({
    path: bench.path,
    clock: bench.clock,
    log: silentLogger,
    slotGraceMs: 60_000,
    maxRejected: 1_000,
    maxRejectedBytes: 1e7,
    retentionMs: 100 * 86_400_000,
    keepUnsettled: false,
    ...options,
  });
  opened.push(buffer);
  return buffer;
}

/** Some hours of four meters, most of their slots closed, scored and forecast, and what was refused. */
function fill(buffer: LastingBuffer): void {
  buffer.registerMeters([
    { id: meterId('feeder'), kind: 'feeder', ratedPowerW: 50_000 },
    { id: meterId('a'), kind: 'customer', feeder: meterId('feeder'), ratedPowerW: 5_000 },
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    const readings = METERS.map((meter, index) =>
      reading(meter, round * EVERY_MS, {
        powerW: 100 * (index + 1) + (round % 7),
        importWh: round * (index + 1) * 0.5,
      }),
    );
    const rejected =
      round % 100 === 0
        ? [
            {
              receivedAtMs: at(round * EVERY_MS),
              topic: 't',
              payload: Buffer.alloc(9_000, 'x'),
              reason: 'not_json' as const,
              detail: `${round}`,
            },
          ]
        : [];
    buffer.commit({ readings, rejected });
    if (round % 30 === 0) while (buffer.closeSlots(at(round * EVERY_MS), 100).more);
  }
  bench.clock.set(at(LAST_MS));
}

interface Contents {
  readonly readings: ReadonlySet<string>;
  readonly copies: number;
  readonly energyMwh: ReadonlyMap<string, number>;
  readonly slots: number;
  readonly rejected: number;
}

function contents(path = bench.path): Contents {
  const reader = bench.reader(path);
  const rows = reader.stream('reading', 0, 1e6);
  const energyMwh = new Map<string, number>();
  const slots = reader.stream('slot', 0, 1e6);
  for (const { meter, energyMwh: mwh } of slots) energyMwh.set(meter, (energyMwh.get(meter) ?? 0) + mwh);
  const rejected = reader.rejected({ limit: 1_000 }).length;
  reader.close();
  return {
    readings: new Set(rows.map(({ meter, takenAtMs, powerDw }) => `${meter} ${takenAtMs} ${powerDw}`)),
    copies: rows.length,
    energyMwh,
    slots: slots.length,
    rejected,
  };
}

/** What the mending process does, in this one. */
async function mend(buffer: LastingBuffer, keepUnsettled = false): Promise<readonly DamageReport[]> {
  const reports: DamageReport[] = [];
  for (const { file, done } of buffer.unsalvaged()) {
    const request = { path: join(dirname(bench.path), file), file, done, keepUnsettled };
    const report = await salvage(request, async (batch) => buffer.restore(structuredClone(batch)));
    buffer.endSalvage(file, report);
    reports.push(report);
  }
  return reports;
}

/** A buffer that was filled and closed in order, its WAL moved into the file. */
function filled(): Contents {
  const buffer = openLasting();
  fill(buffer);
  buffer.close();
  return closedContents();
}

/** As if nothing had happened: of a copy, every slot closed. */
function closedContents(): Contents {
  const copy = bench.killed();
  const other = bench.open({ path: copy });
  closeAll(other);
  other.close();
  return contents(copy);
}

function closeAll(buffer: Pick<LastingBuffer, 'closeSlots'>): void {
  while (buffer.closeSlots(at(LAST_MS + 86_400_000), 1_000).more);
}

const middle = (name: string, type: string): number => {
  const pages = pagesOf(bench.path, name).filter((page) => page.type === type);
  return pages[Math.floor(pages.length / 2)]?.number ?? 0;
};

test.each([
  ['a leaf of the readings', () => middle('reading', 'leaf')],
  ['the root of the readings', () => pagesOf(bench.path, 'reading')[0]?.number ?? 0],
  ['a leaf of the slots', () => middle('slot', 'leaf')],
  ['an overflow page', () => middle('rejected', 'overflow')],
  ['an index', () => middle('slot_change', 'leaf')],
  ['the first page', () => 1],
])('%s destroyed: what is readable comes back once, the rest is named', async (_, page) => {
  const before = filled();
  const number = page();
  expect(number).toBeGreaterThan(0);
  destroyPage(bench.path, number);
  let buffer = openLasting();
  const { logId } = buffer;
  if (buffer.unsalvaged().length === 0) {
    // What the start did not come by, the check or a reader finds.
    buffer.reportDamage('found by the test', logId);
    expect(buffer.logId).not.toBe(logId);
  }
  expect(buffer.unsalvaged()).toHaveLength(1);
  const live = reading('a', LAST_MS + 1_000);
  const again = reading('b', LAST_MS - EVERY_MS, { powerW: 999 });
  buffer.commit({ readings: [live, again], rejected: [] });

  const [report] = await mend(buffer);
  expect(report?.state).toBe('salvaged');
  expect(buffer.unsalvaged()).toEqual([]);
  closeAll(buffer);
  const after = contents();
  const isLost = (table: string) => report?.lost.filter((range) => range.table === table) ?? [];
  const missing = [...before.readings].filter(
    (one) => !after.readings.has(one) && !one.startsWith(`b ${at(LAST_MS - EVERY_MS)} `),
  );
  const named = isLost('reading').reduce((sum, { rows }) => sum + (rows ?? Number.POSITIVE_INFINITY), 0);
  expect(missing.length).toBeLessThanOrEqual(named);
  if (isLost('reading').length === 0) expect(missing).toEqual([]);
  else expect(missing.length).toBeGreaterThan(0);
  // Once each: also what was sent again.
  expect(after.copies).toBe(after.readings.size);
  for (const meter of ['c', 'feeder']) {
    // Slots tell of readings that are lost, and readings of slots; only of the last, still open, is nothing left.
    const isOpenLost = isLost('reading').some(({ before: next }) => next === null);
    if (isOpenLost) expect(after.energyMwh.get(meter)).toBeGreaterThan(0.9 * (before.energyMwh.get(meter) ?? 0));
    else expect(after.energyMwh.get(meter)).toBe(before.energyMwh.get(meter));
  }
  buffer.close();
  buffer = openLasting();
  expect([...buffer.registeredMeters().values()].find(({ meter }) => meter.id === 'a')?.meter).toMatchObject({
    feeder: 'feeder',
    ratedPowerW: 5_000,
  });
  expect(buffer.lastStop).toBe('clean');
});

test('a file cut short', async () => {
  const before = filled();
  const { size } = statSync(bench.path);
  truncateSync(bench.path, Math.floor(size / 2 / 4_096) * 4_096);
  const buffer = openLasting();
  const [report] = await mend(buffer);
  const after = contents();
  expect(after.readings.size).toBeGreaterThan(before.readings.size / 10);
  expect(report?.lost.length).toBeGreaterThan(0);
  expect(report?.lost.some(({ table }) => table === 'reading')).toBe(true);
});

test('a salvage that is interrupted goes on where it was', async () => {
  const before = filled();
  destroyPage(bench.path, middle('slot_change', 'leaf'));
  let buffer = openLasting();
  buffer.reportDamage('found by the test', buffer.logId);
  const [waiting] = buffer.unsalvaged();
  let batches = 0;
  const request = {
    path: join(bench.dir, waiting?.file ?? ''),
    file: waiting?.file ?? '',
    done: {},
    keepUnsettled: false,
  };
  const interrupted = salvage(request, async (batch) => {
    batches += 1;
    if (batch.table === 'reading' && batch.done > 2_000) throw new Error('killed');
    return buffer.restore(batch);
  });
  await expect(interrupted).rejects.toThrow('killed');
  expect(batches).toBeGreaterThan(5);
  const copy = bench.killed();
  buffer.close();
  rmSync(bench.path);
  for (const suffix of ['', '-wal']) if (existsSync(copy + suffix)) copyFileSync(copy + suffix, bench.path + suffix);

  buffer = openLasting();
  expect(buffer.lastStop).toBe('unclean');
  expect(buffer.unsalvaged()[0]?.done['reading']).toBeGreaterThan(1_500);
  await mend(buffer);
  closeAll(buffer);
  const after = contents();
  expect(after.readings).toEqual(before.readings);
  expect(after.copies).toBe(before.copies);
  expect(after.energyMwh.get('c')).toBe(before.energyMwh.get('c'));
});

test('no database at all is kept as it is, and a new file serves', async () => {
  writeFileSync(bench.path, 'a shopping list '.repeat(1_000));
  const buffer = openLasting();
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  const [waiting] = buffer.unsalvaged();
  await mend(buffer);
  const kept = readdirSync(bench.dir).filter((name) => name.startsWith(waiting?.file ?? '-'));
  expect(kept.some((name) => readFileSync(join(bench.dir, name), 'utf8').startsWith('a shopping list'))).toBe(true);
});

test('damage in the middle of the work: the commit that meets it is stored in the new file', async () => {
  let buffer = openLasting();
  fill(buffer);
  buffer.close();
  const before = closedContents();
  buffer = openLasting();
  const replaced: string[] = [];
  buffer.onReplaced((cause) => replaced.push(cause));
  const meters = buffer.registeredMeters();
  expect(meters.size).toBe(METERS.length);
  for (const { number, type } of pagesOf(bench.path, 'slot')) if (type === 'leaf') destroyPage(bench.path, number);
  const { logId } = buffer;
  // A late reading: its slot has to be looked up.
  const { seq } = buffer.commit({ readings: [reading('a', 3_601_000), reading('new', 0)], rejected: [] });
  expect(replaced).toHaveLength(1);
  expect(buffer.logId).not.toBe(logId);
  expect(seq).toBe(2);
  // Whoever holds the map of meters sees those of the new file.
  expect(meters.size).toBe(METERS.length + 1);
  const [report] = await mend(buffer);
  closeAll(buffer);
  expect(report?.lost.some(({ table }) => table === 'slot')).toBe(true);
  // The slots that are lost are made again from the readings.
  const after = contents();
  expect(after.readings.size).toBe(before.readings.size + 2);
  expect(after.energyMwh.get('c')).toBe(before.energyMwh.get('c'));
});

test('a WAL of another file is recognised, left out, and kept', async () => {
  const before = filled();
  const other = createBench();
  try {
    const theirs = other.open();
    theirs.commit({ readings: [reading('stranger', 0)], rejected: [] });
    const copy = other.killed();
    // As after a crash with a file that somebody has put back.
    const raw = new Database(bench.path, { readonly: true });
    const logId = raw.prepare(`select value from setting where name = 'log_id'`).pluck().get();
    raw.close();
    writeFileSync(`${bench.path}.in-use`, `${logId} 1 \n`);
    for (const suffix of ['-wal', '-shm']) rmSync(bench.path + suffix, { force: true });
    copyFileSync(`${copy}-wal`, `${bench.path}-wal`);
  } finally {
    other.clean();
  }
  const buffer = openLasting();
  if (buffer.unsalvaged().length === 0) buffer.reportDamage('found by the check', buffer.logId);
  const [report] = await mend(buffer);
  expect(report?.notes.join()).toContain('does not belong');
  closeAll(buffer);
  const after = contents();
  expect(after.readings).toEqual(before.readings);
  expect(readdirSync(bench.dir).some((name) => name.endsWith('-wal.left-out'))).toBe(true);
  expect([...buffer.registeredMeters().keys()]).not.toContain('stranger');
});

test('a WAL without its file is kept: SQLite alone would delete it', () => {
  const buffer = openLasting();
  fill(buffer);
  const copy = bench.killed();
  buffer.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(bench.path + suffix, { force: true });
  const wal = readFileSync(`${copy}-wal`);
  expect(wal.length).toBeGreaterThan(100_000);
  writeFileSync(`${bench.path}-wal`, wal);
  writeFileSync(bench.path, '');
  const again = openLasting();
  const [waiting] = again.unsalvaged();
  expect(readFileSync(join(bench.dir, `${waiting?.file}-wal`)).equals(wal)).toBe(true);
  expect(basename(bench.path)).toBe('buffer.sqlite');
});
