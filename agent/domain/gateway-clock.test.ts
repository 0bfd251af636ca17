import { expect, test } from 'vitest';
import { type ClockChange, createGatewayClock, type Findings, type GatewayClock } from './gateway-clock.js';
import type { Strictness } from './trust.js';

const NOW = Date.UTC(2027, 0, 1);
const NOT_BEFORE = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

const NOTHING: Findings = {
  confirmedAtMs: undefined,
  serviceRuns: false,
  batteryMs: undefined,
  meters: undefined,
};

function openMachine({
  strictness = 'auto',
  hasCentre = false,
}: {
  strictness?: Strictness;
  hasCentre?: boolean;
} = {}) {
  let countMs = 50 * SECOND;
  let aheadMs = 0;
  const wallMs = (): number => NOW + countMs + aheadMs;
  const machine = { sinceBootMs: () => countMs, wallMs, noticeSleep: () => undefined };
  const clock: GatewayClock = createGatewayClock({
    machine,
    sleep: () => Promise.resolve(),
    strictness,
    notBeforeMs: NOT_BEFORE,
    hasCentre,
  });
  return {
    clock,
    trueMs: () => NOW + countMs,
    wallMs,
    isAhead(ms: number) {
      aheadMs = ms;
    },
    pass(ms: number) {
      countMs += ms;
    },
    look(findings: Partial<Findings> = {}): ClockChange | undefined {
      const change = clock.look({ ...NOTHING, ...findings });
      if (change !== undefined) clock.apply(change);
      return change;
    },
    state: () => (clock.trust.state === 'trusted' ? clock.trust.by : clock.trust.why),
  };
}

test('a change that could not be written is found again', () => {
  const machine = openMachine();
  const first = machine.clock.look(NOTHING);
  expect(first).toMatchObject({ trust: { state: 'trusted', by: 'unverified' }, byMs: 0 });
  expect(machine.state()).toBe('waiting');
  expect(machine.clock.look(NOTHING)).toEqual(first);
});

test('what a time service says of the clock before somebody set it, it does not say of the clock as it is now', () => {
  const machine = openMachine();
  const confirmedAtMs = machine.wallMs();
  machine.look({ confirmedAtMs });
  expect(machine.state()).toBe('synchronised');
  for (const ahead of [DAY, -DAY]) {
    machine.pass(10 * SECOND);
    machine.isAhead(ahead);
    expect(machine.look({ confirmedAtMs })).toBeUndefined();
    expect(machine.clock.now()).toBe(machine.trueMs());
  }
  expect(machine.clock.steps).toBe(2);
  machine.pass(10 * SECOND);
  expect(machine.look({ confirmedAtMs: machine.wallMs() })).toMatchObject({ byMs: -DAY });
});

test.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('a confirmation from before a step %s never comes to look recent', (_, ahead) => {
  const machine = openMachine();
  machine.pass(5 * HOUR);
  const confirmedAtMs = machine.wallMs() - HOUR / 2;
  machine.look({ confirmedAtMs });
  expect(machine.state()).toBe('synchronised');
  machine.pass(SECOND);
  machine.isAhead(ahead);
  for (let minute = 0; minute < 180; minute += 1) {
    expect(machine.look({ confirmedAtMs })).toBeUndefined();
    machine.pass(60 * SECOND);
  }
  expect(machine.clock.now()).toBe(machine.trueMs());
});

test('a confirmation from another start of the kernel is none', () => {
  const machine = openMachine();
  machine.look({ confirmedAtMs: NOW - HOUR, serviceRuns: true });
  expect(machine.state()).toBe('waiting');
  machine.look({ confirmedAtMs: machine.wallMs() + HOUR, serviceRuns: true });
  expect(machine.state()).toBe('waiting');
});

test('the slow work of a time service is followed without a word', () => {
  const machine = openMachine();
  machine.look({ confirmedAtMs: machine.wallMs() });
  for (let ahead = 0; ahead <= 20 * SECOND; ahead += SECOND) {
    machine.isAhead(ahead);
    machine.pass(SECOND);
    expect(machine.look({ confirmedAtMs: machine.wallMs() })).toBeUndefined();
  }
  expect(machine.clock.now()).toBe(machine.wallMs());
  expect(machine.clock.steps).toBe(0);
});

test('the centre is waited for, and not for ever', () => {
  const machine = openMachine({ hasCentre: true });
  machine.look();
  expect(machine.state()).toBe('waiting');
  machine.pass(HOUR / 6 + SECOND);
  machine.look();
  expect(machine.state()).toBe('unverified');
});

test('a time service that runs is waited for as long as it takes, unless the battery-backed clock agrees', () => {
  const machine = openMachine();
  machine.pass(30 * DAY);
  machine.look({ serviceRuns: true, batteryMs: 17 * SECOND });
  expect(machine.state()).toBe('waiting');
  machine.look({ serviceRuns: true, batteryMs: machine.wallMs() - 3 * SECOND });
  expect(machine.state()).toBe('unverified');
});

test('asked to take what is plausible, it waits for nobody, but not for a time that cannot be', () => {
  const machine = openMachine({ strictness: 'plausible', hasCentre: true });
  machine.isAhead(-2 * 365 * DAY);
  machine.look({ serviceRuns: true });
  expect(machine.state()).toBe('behind');
  machine.isAhead(0);
  machine.look({ serviceRuns: true });
  expect(machine.state()).toBe('unverified');
});

test('the word of the centre is as good as the way it came, and the clock of the machine is finer where it agrees', () => {
  const machine = openMachine();
  const base = machine.trueMs() - machine.clock.monotonicMs();
  machine.isAhead(300);
  machine.clock.tell({ baseMs: base + 900, errorMs: 1_000 });
  machine.look();
  expect(machine.state()).toBe('centre');
  expect(machine.clock.now()).toBe(machine.wallMs());
  machine.isAhead(HOUR);
  machine.look();
  expect(machine.clock.machineAheadMs).toBe(HOUR - 300);
  // It counts on, and is corrected when the kernel's counter has drifted too far.
  machine.clock.tell({ baseMs: base + 4_000, errorMs: 100 });
  expect(machine.look()).toBeUndefined();
  machine.clock.tell({ baseMs: base + 9_000, errorMs: 100 });
  expect(machine.look()).toMatchObject({ byMs: 8_700 });
});

test('a centre whose own clock was never set tells nothing', () => {
  const machine = openMachine({ strictness: 'evidence' });
  machine.clock.tell({ baseMs: 0, errorMs: 10 });
  machine.look();
  expect(machine.state()).toBe('waiting');
});

test('until the time is known, what arrives comes after what came before', () => {
  const machine = openMachine();
  machine.isAhead(-NOW);
  machine.clock.begin({ lastRowMs: NOW - DAY, latestMs: NOW - HOUR, baseMs: undefined });
  expect(machine.clock.now()).toBe(NOW - HOUR + 1);
  machine.look();
  expect(machine.state()).toBe('behind');
  machine.pass(HOUR);
  expect(machine.clock.now()).toBe(NOW + 1);
});

test('readings that wait under a clock far ahead do not make the right time look behind', () => {
  const machine = openMachine();
  machine.clock.begin({ lastRowMs: NOW - DAY, latestMs: NOW + 300 * DAY, baseMs: undefined });
  machine.look();
  expect(machine.state()).toBe('unverified');
  expect(machine.clock.now()).toBe(machine.wallMs());
});

test('another file in the middle of the work says nothing of the time', () => {
  const machine = openMachine();
  machine.look();
  machine.clock.begin({ lastRowMs: NOW + DAY, latestMs: NOW + DAY, baseMs: undefined });
  expect(machine.clock.now()).toBe(machine.trueMs());
});

test('a person is believed until somebody who knows better contradicts', () => {
  const machine = openMachine({ strictness: 'evidence' });
  machine.look();
  machine.clock.vouch();
  machine.look();
  expect(machine.state()).toBe('person');
  machine.clock.tell({ baseMs: machine.trueMs() - machine.clock.monotonicMs() + 400, errorMs: 50 });
  machine.look();
  expect(machine.state()).toBe('person');
  machine.clock.tell({ baseMs: machine.trueMs() - machine.clock.monotonicMs() + HOUR, errorMs: 50 });
  expect(machine.look()).toMatchObject({ byMs: HOUR });
  expect(machine.state()).toBe('centre');
});
