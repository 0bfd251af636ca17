import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../domain/clock.js';
import { ROW_BYTES } from './growth.js';
import { at, type Bench, createBench, reading } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const HOUR = 3_600_000;
const METERS = 20;

function fill(hours: number) {
  const random = seededRandom(1);
  const buffer = bench.open({ retentionMs: 1e12 });
  for (let ms = 0; ms < hours * HOUR; ms += 10_000) {
    bench.clock.set(at(ms));
    const readings = Array.from({ length: METERS }, (_, meter) =>
      reading(`m${meter}`, ms + meter, {
        powerW: Math.round(random() * 30_000) / 10,
        importWh: 31_415_926 + ms / 3_600,
        voltageV: 228 + random() * 5,
      }),
    );
    buffer.commit({ readings, rejected: [] });
  }
  buffer.closeSlots(at(hours * HOUR), 10_000);
  return buffer;
}

test('the room that a row is said to take is what it takes, within a third', () => {
  fill(6);
  const db = new Database(bench.path, { readonly: true });
  const bytesOf = db.prepare<[string], number>('select sum(pgsize) from dbstat where name = ?').pluck();
  const rowsOf = (table: string) => Number(db.prepare(`select count(*) from ${table}`).pluck().get());
  const perReading = (bytesOf.get('reading') ?? 0) / rowsOf('reading');
  const perSlot = ((bytesOf.get('slot') ?? 0) + (bytesOf.get('slot_change') ?? 0)) / rowsOf('slot');
  db.close();
  console.log(`${perReading.toFixed(1)} bytes a reading, ${perSlot.toFixed(1)} a slot`);
  for (const [said, found] of [
    [ROW_BYTES.reading, perReading],
    [ROW_BYTES.slot, perSlot],
  ] as const) {
    expect(said / found).toBeGreaterThan(2 / 3);
    expect(said / found).toBeLessThan(3 / 2);
  }
  // Each byte of a row is written twice, to the log and to the file, and kept for a year.
  expect(perReading).toBeLessThan(44);
});

test('what a day adds follows the rate of the last day, and is not known of a minute', () => {
  const buffer = fill(3);
  const slots = METERS * 288 * ROW_BYTES.slot;
  const readings = METERS * 8_640 * ROW_BYTES.reading;
  expect(buffer.growthPerDay(at(3 * HOUR)) ?? 0).toBeCloseTo(slots + readings, -7);
  // Half a day later as much has come in half a day as before in three hours.
  expect(buffer.growthPerDay(at(12 * HOUR)) ?? 0).toBeCloseTo(readings / 4, -6);
  expect(bench.open({ path: `${bench.path}-2` }).growthPerDay(at(3 * HOUR))).toBeUndefined();
});
