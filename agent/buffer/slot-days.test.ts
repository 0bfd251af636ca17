import { afterEach, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../domain/clock.js';
import { flagsOf } from '../domain/flags.js';
import type { Reading } from '../domain/reading.js';
import type { MeasuredColumn, StoredSlot } from '../domain/stored.js';
import type { Buffer } from './buffer.js';
import { at, type Bench, createBench, meterId, reading, START_MS } from './test-kit.js';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});
afterEach(() => bench.clean());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const REST = 2 * HOUR;
const METER = meterId('m');

/** A household with a register, whose readings of one minute are now and then missing. */
function household(
  name: string,
  { days, seed = 1, skip = () => false }: { days: number; seed?: number; skip?: (minute: number) => boolean },
): Reading[] {
  const random = seededRandom(seed);
  let importWh = 1_000;
  return Array.from({ length: days * 1_440 + 2 }, (_, minute) => {
    const powerW = Math.round(150 + 400 * random() + (minute % 180 < 7 ? 2_000 : 0));
    importWh += powerW / 60;
    return reading(name, minute * MINUTE, {
      powerW,
      importWh: Math.floor(importWh * 10) / 10,
      voltageV: 229 + Math.round(random() * 20) / 10,
    });
  }).filter((_, minute) => !skip(minute));
}

function store(buffer: Buffer, readings: readonly Reading[], nowMs: number): void {
  for (let from = 0; from < readings.length; from += 5_000) {
    buffer.commit({ readings: readings.slice(from, from + 5_000), rejected: [] });
  }
  while (buffer.closeSlots(at(nowMs), 1_000).more);
}

/** As the timer does, until nothing more is ready. */
function pack(buffer: Buffer, nowMs: number): number {
  let days = 0;
  for (let more = true; more; ) {
    const step = buffer.packDays(at(nowMs));
    days += step.days;
    more = step.more;
  }
  return days;
}

const slotsOf = (meter = METER): readonly StoredSlot[] => {
  const reader = bench.reader();
  const slots = reader.slotsOf(meter, at(-DAY), at(400 * DAY));
  reader.close();
  return slots;
};
const withoutNumber = (slots: readonly StoredSlot[]) => slots.map(({ changeSeq, ...slot }) => slot);
const energyOf = (slots: readonly StoredSlot[]): number => slots.reduce((sum, { energyMwh }) => sum + energyMwh, 0);
const registerOf = (readings: readonly Reading[]): number =>
  Math.round(((readings.at(-1)?.importWh ?? 0) - (readings[0]?.importWh ?? 0)) * 1_000);

test('a finished day is packed two hours after its end, and reads as before', () => {
  const buffer = bench.open();
  const readings = household('m', { days: 2, skip: (minute) => minute % 500 > 460 });
  store(buffer, readings, 2 * DAY + REST);
  const before = slotsOf();
  expect(pack(buffer, DAY + REST - 1)).toBe(0);
  expect(pack(buffer, DAY + REST + 2 * MINUTE)).toBe(1);
  expect(withoutNumber(slotsOf())).toEqual(withoutNumber(before));
  expect(pack(buffer, 2 * DAY + REST + 4 * MINUTE)).toBe(1);
  expect(withoutNumber(slotsOf())).toEqual(withoutNumber(before));
  expect(bench.reader().slotsOf(METER, at(7 * HOUR), at(31 * HOUR))).toHaveLength(
    before.filter(({ slotStartMs }) => slotStartMs >= at(7 * HOUR) && slotStartMs < at(31 * HOUR)).length,
  );
  expect(energyOf(before)).toBe(registerOf(readings));
});

test('what the centre or the models have not seen stays as it is', () => {
  const buffer = bench.open({ keepUnsettled: true, keepUnanalysed: true });
  store(buffer, household('m', { days: 1 }), 2 * DAY);
  const { changeSeq } = buffer.head();
  expect(pack(buffer, 2 * DAY)).toBe(0);
  buffer.storeAnalysis({ forecasts: [], scores: [], anomalies: [], analysedUpTo: changeSeq });
  expect(pack(buffer, 2 * DAY + 2 * MINUTE)).toBe(0);
  buffer.settle('slot', { logId: buffer.logId, ranges: [{ after: 0, upTo: changeSeq }] });
  expect(pack(buffer, 2 * DAY + 4 * MINUTE)).toBe(1);
  expect(bench.reader().stream('slot', 0, 1_000)).toHaveLength(1);
});

test('a reading that comes late to a packed day makes a revision, is pushed again, and is packed again', () => {
  const buffer = bench.open();
  const late = (minute: number): boolean => minute >= 602 && minute < 605;
  const readings = household('m', { days: 1, skip: late });
  store(buffer, readings, 2 * DAY);
  pack(buffer, 2 * DAY);
  const before = slotsOf();
  const seen = buffer.head().changeSeq;
  const missing = household('m', { days: 1, skip: (minute) => !late(minute) });
  // The other one is a repeat of a slot that is spoken for whole.
  store(buffer, [...missing, ...readings.slice(100, 101)], 2 * DAY);
  const place = 120;
  const pushed = bench.reader().stream('slot', seen, 10);
  expect(pushed).toMatchObject([{ slotStartMs: at(600 * MINUTE), revision: 2, count: 5 }]);
  const after = slotsOf();
  expect(after[place]).toMatchObject({ revision: 2, count: 5, energyMwh: before[place]?.energyMwh });
  expect(withoutNumber(after.filter((_, index) => index !== place))).toEqual(
    withoutNumber(before.filter((_, index) => index !== place)),
  );
  expect(energyOf(after)).toBe(registerOf(readings));
  expect(bench.reader().totals().slots).toBe(before.length);

  // The same once more, also after a start, changes nothing as long as the slot is open again.
  buffer.close();
  const again = bench.open();
  store(again, missing, 2 * DAY);
  expect(slotsOf()[place]).toMatchObject({ revision: 2, count: 5 });
  // After a restart any day may still be coming.
  expect(pack(again, 2 * DAY + 9 * MINUTE)).toBe(0);
  expect(pack(again, 2 * DAY + 20 * MINUTE)).toBe(1);
  expect(withoutNumber(slotsOf())).toEqual(withoutNumber(after));
  expect(bench.reader().stream('slot', seen, 1).length).toBe(1);
});

test('whatever comes late, before or after packing, the energies add up to what the register counted', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  const random = seededRandom(seed);
  for (let run = 0; run < Number(process.env['FUZZ_RUNS'] ?? 4); run += 1) {
    const own = createBench();
    const buffer = own.open();
    // Whole hours and whole days are missing at first; some of it comes later, some never.
    const gaps = Array.from({ length: 4 }, () => [random() * 5 * 1_440, random() ** 3 * 2_500] as const);
    const isIn = (minute: number): boolean => gaps.some(([from, length]) => minute > from && minute < from + length);
    const all = household('m', { days: 5, seed: run });
    const isLate = (one: Reading): boolean => isIn((one.takenAtMs - START_MS) / MINUTE) && one !== all[0];
    const prompt = all.filter((one) => !isLate(one));
    const late = all.filter((one) => isLate(one) && random() < 0.3);
    const sum = (): number => {
      const reader = own.reader();
      const energy = energyOf(reader.slotsOf(METER, at(0), at(10 * DAY)));
      reader.close();
      return energy;
    };
    const half = Math.floor(prompt.length / 2);
    store(buffer, prompt.slice(0, half), 3 * DAY);
    pack(buffer, 2 * DAY);
    store(buffer, prompt.slice(half), 6 * DAY);
    const whole = registerOf(all.filter((one) => !isLate(one) || late.includes(one)));
    if (all.at(-1) === prompt.at(-1)) expect(sum(), `seed ${seed}, run ${run}, prompt`).toBe(registerOf(prompt));
    store(buffer, late.slice(0, late.length / 2), 6 * DAY);
    if (random() < 0.7) pack(buffer, 6 * DAY + run * 10 * MINUTE);
    store(buffer, late.slice(late.length / 2), 6 * DAY);
    if (all.at(-1) === prompt.at(-1)) expect(sum(), `seed ${seed}, run ${run}, late`).toBe(whole);
    pack(buffer, 7 * DAY + run * 10 * MINUTE);
    if (all.at(-1) === prompt.at(-1)) expect(sum(), `seed ${seed}, run ${run}, packed`).toBe(whole);
    own.clean();
  }
}, 300_000);

test('history that comes in pieces is packed once no more of it comes: each day has what the register counted', () => {
  const buffer = bench.open();
  const readings = household('m', { days: 3 }).slice(0, 3 * 1_440 + 1);
  // One part of each day has to wait, as behind a broken link, for two hours of the meter's time.
  const sentAt = readings.map((_, minute) => (minute % 1_440 > 700 && minute % 1_440 <= 820 ? minute + 120 : minute));
  let nowMs = 200 * DAY;
  for (let minute = 0; minute <= 3 * 1_440; minute += 30) {
    bench.clock.set(at(nowMs));
    store(
      buffer,
      readings.filter((_, nth) => (sentAt[nth] ?? 0) >= minute && (sentAt[nth] ?? 0) < minute + 30),
      nowMs,
    );
    pack(buffer, nowMs);
    nowMs += 2 * MINUTE;
  }
  // The last day, and the reading of midnight.
  expect(pack(buffer, nowMs)).toBe(0);
  expect(pack(buffer, nowMs + 10 * MINUTE)).toBe(2);
  for (const day of [0, 1, 2]) {
    const counted = registerOf(readings.slice(day * 1_440, (day + 1) * 1_440 + 1));
    const reader = bench.reader();
    const slots = reader.slotsOf(METER, at(day * DAY), at((day + 1) * DAY));
    reader.close();
    expect(Math.abs(energyOf(slots) - counted)).toBeLessThanOrEqual(100);
  }
});

test('a meter that speaks again at the very end of a packed day: what its register counted meanwhile is not lost', () => {
  const buffer = bench.open();
  const readings = household('m', { days: 2 });
  store(buffer, readings.slice(0, 1_440), DAY + REST);
  expect(pack(buffer, DAY + REST)).toBe(1);
  store(buffer, readings.slice(1_440), 2 * DAY + REST);
  expect(energyOf(slotsOf())).toBe(registerOf(readings));
});

test('in a gap the energy is marked as estimated, and only there', () => {
  const buffer = bench.open();
  store(buffer, household('m', { days: 1, skip: (minute) => minute > 602 && minute < 641 }), 2 * DAY);
  const estimated = slotsOf().filter(({ flags }) => flagsOf(flags).includes('estimated'));
  expect(estimated.map(({ slotStartMs }) => (slotStartMs - START_MS) / MINUTE)).toEqual([
    600, 605, 610, 615, 620, 625, 630, 635, 640,
  ]);
  expect(estimated.map(({ count }) => count)).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 4]);
});

test('a centre that comes later is told of the days that were packed before it', () => {
  const buffer = bench.open();
  for (const name of ['a', 'b', 'c']) store(buffer, household(name, { days: 2 }), 3 * DAY);
  pack(buffer, 3 * DAY);
  const reader = bench.reader();
  const told = new Set<string>();
  let after = 0;
  for (let page = reader.stream('slot', after, 250); page.length > 0; page = reader.stream('slot', after, 250)) {
    expect(page.length).toBeLessThanOrEqual(250);
    for (const { meter, slotStartMs, changeSeq } of page) {
      expect(changeSeq).toBeGreaterThan(after);
      after = changeSeq;
      told.add(`${meter} ${slotStartMs}`);
    }
  }
  expect(told.size).toBe(3 * 577);
  expect(reader.backlog().slot).toBeGreaterThanOrEqual(3 * 577);
});

test('days are dropped by age, meter by meter, and no longer counted', () => {
  const kept = { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  const buffer = bench.open({ keep: { slots: { ms: 2 * DAY, ...kept } } });
  for (const name of ['a', 'b', 'm']) store(buffer, household(name, { days: 3 }), 4 * DAY);
  pack(buffer, 4 * DAY);
  expect(buffer.prune(at(4 * DAY - 1)).days).toBe(3);
  expect(buffer.prune(at(4 * DAY - 1)).days).toBe(0);
  const left = slotsOf();
  expect(left[0]?.slotStartMs).toBe(at(DAY));
  expect(bench.reader().totals().slots).toBe(3 * left.length);
});

test('the load of every meter, packed or not, is what its slots say', () => {
  const buffer = bench.open();
  for (const name of ['a', 'm'])
    store(buffer, household(name, { days: 3, skip: (minute) => minute % 700 > 640 }), 3 * DAY);
  pack(buffer, 2 * DAY + REST);
  buffer.storeAnalysis({ forecasts: [], scores: [], anomalies: [], analysedUpTo: buffer.head().changeSeq });
  const heard = slotsOf().filter(({ count }) => count > 0);
  const reader = bench.reader();
  const load = reader.loadOf(METER, START_MS / DAY, START_MS / DAY + 3);
  const expected = new Float32Array(3 * 288).fill(Number.NaN);
  for (const { slotStartMs, meanPowerDw } of heard) expected[(slotStartMs - START_MS) / 300_000] = meanPowerDw / 10;
  expect(load).toEqual(expected);
  const measured = reader.measuredOf(METER, START_MS / DAY, START_MS / DAY + 3);
  for (const name of Object.keys(measured) as MeasuredColumn[]) {
    const column = new Float64Array(3 * 288).fill(Number.NaN);
    for (const slot of slotsOf()) column[(slot.slotStartMs - START_MS) / 300_000] = slot[name] ?? Number.NaN;
    expect(measured[name], name).toEqual(column);
  }
  const put = new Map<number, number>();
  Array.from(reader.readAnalysed(8, (meter, slotStartMs, watts) => meter === METER && put.set(slotStartMs, watts)));
  expect([...put].sort(([a], [b]) => a - b)).toEqual(
    heard.map(({ slotStartMs, meanPowerDw }) => [slotStartMs, meanPowerDw / 10]),
  );
});
