import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type Bench, createBench, reading, START_MS, upTo } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;

test('retention keeps what is young, what an open slot needs and what the centre has not settled', () => {
  const buffer = bench.open({ retentionMs: 60 * MINUTE, keepUnsettled: true });
  const readings = Array.from({ length: 10 }, (_, index) => reading('a', index * 10 * MINUTE));
  buffer.commit({ readings, rejected: [] });
  const late = at(500 * MINUTE);
  expect(buffer.prune(late).readings).toBe(0);
  buffer.settle('reading', upTo(buffer, 8));
  expect(buffer.prune(late).readings).toBe(0);
  buffer.closeSlots(at(1_000 * MINUTE), 100);
  expect(buffer.prune(at(105 * MINUTE)).readings).toBe(5);
  expect(buffer.prune(late).readings).toBe(3);
  expect(buffer.prune(late).readings).toBe(0);
});

test('readings of a clock that was far ahead do not keep the rest of the log', () => {
  const buffer = bench.open({ retentionMs: 100 * MINUTE });
  const ahead = 1_000_000 * MINUTE;
  const row = (n: number, receivedAtMs: number) => reading('a', n, { powerW: 1, receivedAtMs: at(receivedAtMs) });
  buffer.commit({ readings: Array.from({ length: 2_500 }, (_, n) => row(n, ahead)), rejected: [] });
  buffer.closeSlots(at(10 * MINUTE), 10);
  // As long as nothing old stands behind them, nobody knows how old they are.
  expect(buffer.prune(at(200 * MINUTE)).readings).toBe(0);
  const old = Array.from({ length: 300 }, (_, n) => row(3_000 + n, 0));
  buffer.commit({ readings: [...old, row(4_000, ahead), row(150 * MINUTE, 150 * MINUTE)], rejected: [] });
  buffer.closeSlots(at(190 * MINUTE), 10);
  expect(buffer.prune(at(200 * MINUTE))).toMatchObject({ readings: 2_000, more: true });
  expect(buffer.prune(at(200 * MINUTE)).readings).toBe(800);
  expect(buffer.prune(at(200 * MINUTE)).readings).toBe(0);
  expect(buffer.prune(at(300 * MINUTE)).readings).toBe(1); // all but the newest
});

test('forecasts that are not settled are passed over in bounded steps', () => {
  const buffer = bench.open({ retentionMs: 100 * MINUTE, keepUnsettled: true });
  buffer.commit({ readings: [reading('a', 0)], rejected: [] });
  buffer.recordBundle({ state: 'active', version: 'v1', precision: 'int8' }, at(0));
  const raw = new Database(bench.path);
  raw.exec(`with recursive n (n) as (select 0 union all select n + 1 from n where n < 4999)
    insert into forecast (issued_slot_ms, meter, revision, change_seq, model, packed)
    select ${START_MS} + n * 1000, 1, 1, iif(n < 3000, 9999, 0), 1, x'00' from n`);
  raw.close();
  const steps = Array.from({ length: 6 }, () => buffer.prune(at(10_000 * MINUTE)));
  expect(steps.map(({ forecasts, more }) => [forecasts, more])).toEqual([
    [0, true],
    [1_000, true],
    [1_000, false],
    [0, true],
    [0, false],
    [0, true],
  ]);
});

test('each table goes by age and by number, the oldest first, and never what the centre lacks', () => {
  const unbounded = { ms: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  const slots = { ...unbounded, ms: 100 * MINUTE };
  const buffer = bench.open({
    retentionMs: 1e12,
    keepUnsettled: true,
    keep: { slots, readings: { ...unbounded, rows: 12 } },
  });
  for (let n = 0; n < 30; n += 1) buffer.commit({ readings: [reading('a', n * 5 * MINUTE)], rejected: [] });
  buffer.closeSlots(at(200 * MINUTE), 1_000);
  expect(buffer.prune(at(200 * MINUTE))).toMatchObject({ readings: 0, slots: 0 });
  buffer.settle('reading', upTo(buffer, 10));
  buffer.settle('slot', upTo(buffer, 15));
  expect(buffer.prune(at(200 * MINUTE))).toMatchObject({ readings: 10, slots: 15, more: false });
  buffer.settle('reading', upTo(buffer, 30));
  buffer.settle('slot', upTo(buffer, 30));
  expect(buffer.prune(at(200 * MINUTE))).toMatchObject({ readings: 8, slots: 5, more: false });
  const { readings, slots: slotsLeft } = bench.reader().totals();
  expect([readings, slotsLeft]).toEqual([12, 10]);
});
