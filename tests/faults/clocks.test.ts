import { afterEach, expect, test, vi } from 'vitest';
import { flagsOf } from '../../agent/domain/flags.js';
import { DAY, HOUR, MINUTE, openWorld, type Place, SECOND, TRUE_MS, type World } from '../kit/wrong-clock.js';

/** What is stored while the gateway does not know the time waits, and is placed once it does. */

/** Each second of hours is lived through: a few seconds on a machine of its own, and more beside others. */
vi.setConfig({ testTimeout: 180_000 });

const METERS = ['a', 'b', 'c'];
const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
});

function world(place: Place): World {
  const made = openWorld(place);
  worlds.push(made);
  return made;
}

/** Readings that the clock stamped to the second, and slots that hold exactly what was taken in them. */
function expectTruth(of: World, withinMs = SECOND): void {
  const placed = of.visible();
  expect(placed).toHaveLength(of.sentCount());
  expect(placed.filter(({ offByMs }) => Math.abs(offByMs) > withinMs)).toEqual([]);
  expect(of.refused).toEqual([]);
  // In a gap there are slots of what the register counted meanwhile: nothing was taken in them.
  const taken = of.slots().filter(({ count }) => count > 0);
  const slots = taken.map(({ meter, slotStartMs, count }) => [`${meter} ${slotStartMs}`, count] as const);
  expect(new Map(slots)).toEqual(of.trueSlots());
}

/** Lets the last slots close. */
function settle(of: World): void {
  of.pass(6 * MINUTE);
}

const stateOf = ({ clock: { trust } }: World): string => (trust.state === 'trusted' ? trust.by : trust.why);

function expectNothingMoves(of: World, { rows, slots }: { readonly rows: number; readonly slots: number }): void {
  expect(of.visible()).toHaveLength(rows);
  expect(of.slots()).toHaveLength(slots);
}

/** A gateway that has run before, with a right clock, and was switched off for `offMs`. */
function returning(place: Place, offMs: number, wallMs: number): World {
  const of = world(place);
  of.confirm();
  of.start();
  of.live(METERS, 20 * MINUTE);
  of.pass(6 * MINUTE);
  of.kill();
  of.off(offMs, wallMs);
  of.start();
  return of;
}

test.each([
  ['in 1970', 0, 'behind'],
  ['three weeks behind', TRUE_MS - 21 * DAY, 'behind'],
  ['where it was switched off, three weeks ago', TRUE_MS + 27 * MINUTE, 'waiting'],
  ['two days ahead', TRUE_MS + 23 * DAY, 'waiting'],
])('a machine that boots %s: nothing moves until a time service speaks, then all is in place', (_, wallMs, why) => {
  const of = returning({ hasService: true }, 21 * DAY, wallMs);
  const before = { rows: of.visible().length, slots: of.slots().length };
  expect(stateOf(of)).toBe(why);
  of.live(METERS, 42 * MINUTE);
  expectNothingMoves(of, before);
  expect(of.store.held()).toBe(3 * 84);
  of.confirm();
  of.live(METERS, 10 * MINUTE);
  expect(stateOf(of)).toBe('synchronised');
  expect(of.store.held()).toBe(0);
  settle(of);
  expectTruth(of);
  expect(Math.abs(of.clock.now() - of.trueMs)).toBeLessThan(SECOND);
});

test('a first boot in 1970, and the centre tells the time', () => {
  const of = world({ hasCentre: true });
  of.setWall(5_000_000);
  of.start();
  of.live(METERS, 15 * MINUTE);
  expectNothingMoves(of, { rows: 0, slots: 0 });
  of.clock.tell({ baseMs: of.trueMs - of.clock.monotonicMs() + 40, errorMs: 60 });
  of.live(METERS, 15 * MINUTE);
  expect(stateOf(of)).toBe('centre');
  // The clock of the machine stays wrong, and nobody minds.
  expect(of.clock.machineAheadMs).toBeLessThan(-50 * 365 * DAY);
  settle(of);
  expectTruth(of);
});

test('a first boot in 1970 and nobody else: meters that agree outvote a few that are wrong', () => {
  const of = world({});
  of.setWall(5_000_000);
  of.start();
  const meters = Array.from({ length: 9 }, (_, index) => `own-${index}`);
  const wrong = (meter: string): number => (meter === 'own-3' ? -300 * DAY : meter === 'own-7' ? 40 * DAY : 0);
  const liveMinute = () => {
    for (const meter of meters) of.send(meter, { ts: of.trueMs + wrong(meter) });
    of.send('mute');
    of.pass(MINUTE);
  };
  liveMinute();
  expect(stateOf(of)).toBe('behind');
  expectNothingMoves(of, { rows: 0, slots: 0 });
  for (let minute = 0; minute < 5; minute += 1) liveMinute();
  expect(stateOf(of)).toBe('meters');
  const mute = of.visible().filter(({ row }) => row.meter === 'mute');
  expect(mute).toHaveLength(6);
  for (const { offByMs } of mute) expect(Math.abs(offByMs)).toBeLessThan(MINUTE);
  // What was taken in before has the time of its arrival, like the rest of what such a meter sends.
  const ahead = of.visible().filter(({ row }) => row.meter === 'own-7');
  expect(ahead.map(({ row }) => flagsOf(row.flags))).toEqual(Array(6).fill(['meter_clock_off']));
  for (const { offByMs } of ahead) expect(Math.abs(offByMs)).toBeLessThan(MINUTE);
});

test('meters that do not agree tell no time', () => {
  const of = world({});
  of.setWall(5_000_000);
  of.start();
  for (let minute = 0; minute < 5; minute += 1) {
    for (let index = 0; index < 9; index += 1) of.send(`own-${index}`, { ts: of.trueMs + (index % 3) * HOUR });
    of.pass(MINUTE);
  }
  expect(stateOf(of)).toBe('behind');
  expectNothingMoves(of, { rows: 0, slots: 0 });
});

test.each([
  ['forward', DAY],
  ['back', -DAY],
])(
  'a confirmed clock that is set %s by a day: the kernel counts on, and every reading keeps its right time',
  (_, byMs) => {
    const of = world({ hasService: true });
    of.confirm();
    of.start();
    of.live(METERS, 12 * MINUTE);
    of.setWall(of.trueMs + byMs);
    of.live(METERS, 30 * MINUTE);
    expect(stateOf(of)).toBe('synchronised');
    expect(of.clock.steps).toBe(1);
    expect(of.clock.machineAheadMs).toBeCloseTo(byMs, -2);
    of.confirm();
    of.live(METERS, 12 * MINUTE);
    settle(of);
    expectTruth(of);
  },
);

test.each([
  ['forward', DAY],
  ['back', -DAY],
])('a clock that nothing confirms is set %s by a day: readings wait until somebody tells the time', (_, byMs) => {
  const of = world({});
  of.start();
  expect(stateOf(of)).toBe('unverified');
  of.live(METERS, 12 * MINUTE);
  const before = { rows: of.visible().length, slots: of.slots().length };
  of.setWall(of.trueMs + byMs);
  of.tick();
  expect(stateOf(of)).toBe('stepped');
  of.live(METERS, 30 * MINUTE);
  expectNothingMoves(of, before);
  of.clock.tell({ baseMs: of.trueMs - of.clock.monotonicMs(), errorMs: 50 });
  of.live(METERS, 12 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('a clock that was wrong by a day and is set right: what waits goes by the new time', () => {
  const of = world({});
  of.setWall(TRUE_MS - DAY);
  of.start();
  of.live(METERS, 11 * MINUTE);
  const early = of.visible().length;
  of.setWall(of.trueMs);
  of.tick();
  of.live(METERS, 30 * MINUTE);
  expect(of.visible()).toHaveLength(early);
  of.clock.vouch();
  of.live(METERS, 10 * MINUTE);
  expect(stateOf(of)).toBe('person');
  expect(of.store.held()).toBe(0);
  const after = of.visible().slice(early);
  expect(after.filter(({ offByMs }) => Math.abs(offByMs) > SECOND)).toEqual([]);
});

test('a step that nobody explains is believed when it has stood for an hour', () => {
  const of = world({});
  of.start();
  of.live(METERS, 10 * MINUTE);
  of.setWall(of.trueMs + DAY);
  of.live(METERS, 59 * MINUTE);
  expect(stateOf(of)).toBe('stepped');
  of.live(METERS, 2 * MINUTE);
  expect(stateOf(of)).toBe('unverified');
  expect(of.visible()).toHaveLength(of.sentCount());
});

test('a step that is taken back leaves no trace', () => {
  const of = world({});
  of.start();
  of.live(METERS, 10 * MINUTE);
  of.setWall(of.trueMs + DAY);
  of.live(METERS, 10 * MINUTE);
  expect(stateOf(of)).toBe('stepped');
  of.setWall(of.trueMs);
  of.live(METERS, 10 * MINUTE);
  expect(stateOf(of)).toBe('unverified');
  settle(of);
  expectTruth(of);
});

test('no evidence at all: what can be right is taken, what cannot be right waits, and a person has the last word', () => {
  const of = returning({}, HOUR, TRUE_MS - 21 * DAY);
  expect(stateOf(of)).toBe('behind');
  const before = { rows: of.visible().length, slots: of.slots().length };
  of.live(METERS, 30 * MINUTE);
  expectNothingMoves(of, before);
  of.setWall(of.trueMs);
  of.clock.vouch();
  of.live(METERS, 10 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('asked for evidence, the gateway believes nothing that only can be right', () => {
  const of = world({ strictness: 'evidence' });
  of.start();
  of.live(METERS, 3 * HOUR);
  expect(stateOf(of)).toBe('waiting');
  expectNothingMoves(of, { rows: 0, slots: 0 });
});

test('the process ends and begins again before the time is known: one count of the kernel places both', () => {
  const of = returning({ hasService: true }, DAY, 0);
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.start();
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.start();
  expect(of.store.held()).toBe(3 * 48);
  of.confirm();
  of.live(METERS, 12 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('a gateway that starts again knows the time from before, though the clock has been set since', () => {
  const of = world({ hasService: true });
  of.confirm();
  of.start();
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.setWall(of.trueMs + DAY);
  of.start();
  expect(stateOf(of)).toBe('carried');
  of.live(METERS, 12 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('the machine starts again before the time is known: what went before is placed between its neighbours, marked', () => {
  const of = returning({ hasService: true }, DAY, 0);
  const beforeMs = TRUE_MS + 20 * MINUTE;
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.off(5 * MINUTE, 0);
  of.start();
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.off(2 * MINUTE, 0);
  of.start();
  const lastBootMs = of.trueMs;
  of.confirm();
  of.live(METERS, 12 * MINUTE);
  settle(of);
  const placed = of.visible();
  expect(placed).toHaveLength(of.sentCount());
  expect(of.refused).toEqual([]);
  const estimated = placed.filter(({ row }) => flagsOf(row.flags).includes('time_estimated'));
  expect(estimated).toHaveLength(2 * 3 * 24);
  for (const { row, offByMs } of estimated) {
    expect(row.takenAtMs).toBeGreaterThan(beforeMs - SECOND);
    expect(row.takenAtMs).toBeLessThan(lastBootMs + SECOND);
    // Off by how long the machine was off after it, which nobody can know.
    expect(offByMs).toBeGreaterThanOrEqual(-SECOND);
    expect(offByMs).toBeLessThan(8 * MINUTE + SECOND);
  }
  const others = placed.filter((one) => !estimated.includes(one));
  expect(others.filter(({ offByMs }) => Math.abs(offByMs) > SECOND)).toEqual([]);
  const times = placed.filter(({ row }) => row.meter === 'a').map(({ row }) => row.takenAtMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a kill in the middle of the placing loses nothing and counts nothing twice', () => {
  const of = returning({ hasService: true }, DAY, 0);
  const meters = Array.from({ length: 60 }, (_, index) => `m${index}`);
  of.live(meters, 25 * MINUTE);
  of.confirm();
  of.look();
  of.store.closeSlots(of.clock.now(), 500);
  expect(of.store.held()).toBe(2_000);
  of.kill();
  of.start();
  of.live(meters, 5 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('readings of meters with a clock of their own keep it, whatever the gateway believes', () => {
  const of = returning({ hasService: true }, DAY, TRUE_MS - 500 * DAY);
  of.live(METERS, 12 * MINUTE, (trueMs) => ({ ts: trueMs - 200 * DAY }));
  of.live(METERS, 12 * MINUTE, (trueMs) => ({ ts: trueMs }));
  of.confirm();
  of.pass(MINUTE);
  expect(of.refused).toEqual([]);
  const own = of.visible().filter(({ row }) => row.timeSource === 'meter');
  expect(own).toHaveLength(2 * 3 * 24);
  expect(own.filter(({ offByMs }) => offByMs !== 0 && offByMs !== -200 * DAY)).toEqual([]);
});

test('registers go on over a correction: none is taken for a jump or a step back', () => {
  const of = returning({ hasService: true }, 21 * DAY, TRUE_MS + 60 * DAY);
  of.live(METERS, 12 * MINUTE);
  of.confirm();
  of.live(METERS, 12 * MINUTE);
  settle(of);
  const rows = of.visible();
  expect(rows.filter(({ row }) => row.importDwh === null || row.flags !== 0)).toEqual([]);
  expectTruth(of);
});

test('what a clock far ahead has left in slots holds back neither the log nor the newest readings', () => {
  const of = world({});
  of.setWall(TRUE_MS + 400 * DAY);
  of.start();
  of.live(METERS, 12 * MINUTE);
  of.setWall(of.trueMs);
  of.clock.tell({ baseMs: of.trueMs - of.clock.monotonicMs(), errorMs: 50 });
  of.live(METERS, 30 * MINUTE);
  settle(of);
  const rows = of.sentCount();
  expect(of.visible()).toHaveLength(rows);
  expect(of.latest().map(({ takenAtMs }) => takenAtMs <= of.trueMs)).toEqual([true, true, true]);
  const pruned = of.store.prune(of.at(of.trueMs + 90 * DAY));
  // The newest row keeps the numbering.
  expect(pruned.readings).toBeGreaterThanOrEqual(rows - 1);
});

test('what was on its way when the time became known belongs to the time before', () => {
  const of = returning({ hasService: true }, DAY, 0);
  of.live(METERS, MINUTE);
  const commit = of.receive('a');
  of.confirm();
  of.tick();
  expect(stateOf(of)).toBe('synchronised');
  commit();
  of.live(METERS, 10 * MINUTE);
  settle(of);
  expectTruth(of);
});

test('an estimate says how far it can be off', () => {
  const of = returning({ hasService: true }, 3 * HOUR, 0);
  of.live(METERS, 12 * MINUTE);
  of.kill();
  of.off(2 * HOUR, 0);
  of.start();
  of.confirm();
  of.tick();
  const [span] = of.spans().filter(({ trust }) => trust === 'estimated');
  expect(span?.uncertainty_ms).toBeGreaterThan(5 * HOUR);
  expect(span?.uncertainty_ms).toBeLessThan(5 * HOUR + 10 * MINUTE);
});

test('while the time is not known, nothing is dropped as too old', () => {
  const of = returning({ hasService: true }, DAY, TRUE_MS + 900 * DAY);
  of.live(METERS, 2 * MINUTE);
  expect(of.store.prune(of.clock.now())).toMatchObject({ readings: 0, more: false });
  expect(of.read((reader) => reader.totals().readings)).toBe(of.sentCount());
});
