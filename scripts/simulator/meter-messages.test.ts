import { expect, test } from 'vitest';
import { DAY_MS } from '../../agent/domain/slot.js';
import { FAULT_KINDS, FAULTS, type FaultKind, faultsOn, LONGEST_FAULT_DAYS } from './faults.js';
import { createFleet } from './fleet.js';
import { native } from './formats/native.js';
import { messagesOf, REGISTER_MAX_WH, rollsOver, type SimulatedMessage } from './meter-messages.js';
import type { SentReading } from './sent-reading.js';

const FROM_MS = Date.UTC(2026, 2, 2);
const INTERVAL_MS = 60_000;
const fleet = createFleet({ customers: 30, feeders: 1, seed: 4, fromMs: FROM_MS, stepMinutes: 5 });

interface Given {
  readonly kinds?: readonly FaultKind[];
  readonly times?: number;
  readonly number?: number;
  readonly days?: number;
}

function sent({ kinds = [], times = 10, number = 0, days = 2 }: Given = {}): SimulatedMessage[] {
  const meter = fleet[number];
  if (meter === undefined) throw new Error(`no meter ${number}`);
  const faults = { seed: 9, kinds, times };
  return [
    ...messagesOf({
      meter,
      format: native,
      fromMs: FROM_MS,
      toMs: FROM_MS + days * DAY_MS,
      intervalMs: INTERVAL_MS,
      faults,
    }),
  ];
}

const readingOf = ({ payload }: SimulatedMessage) => JSON.parse(payload) as SentReading;
const struck = (messages: readonly SimulatedMessage[], kind: FaultKind) =>
  messages.filter(({ faults }) => faults.includes(kind));

test('without faults a reading a minute, in order, and its register never falls', () => {
  const messages = sent();
  expect(messages.length).toBe(2 * 1_440);
  const readings = messages.map(readingOf);
  for (const [index, { ts, import_wh }] of readings.entries()) {
    const before = readings[index - 1];
    if (before === undefined) continue;
    expect(ts - before.ts).toBe(INTERVAL_MS);
    expect(import_wh).toBeGreaterThanOrEqual(before.import_wh);
  }
});

test.each(FAULT_KINDS.filter((kind) => kind !== 'rollover'))(
  '%s: does what it says, and only to messages that say so',
  (kind) => {
    const clean = new Map(sent({ days: 6 }).map((message) => [message.takenMs, message]));
    const messages = sent({ kinds: [kind], days: 6, times: FAULTS[kind].perDay < 0.1 ? 60 : 10 });
    const marked = struck(messages, kind);
    if (kind === 'gap' || kind === 'silence') {
      expect(messages.length).toBeLessThan(clean.size);
      expect(marked).toEqual([]);
    } else {
      expect(marked.length).toBeGreaterThan(0);
    }
    const lastingKinds: readonly FaultKind[] = ['register_reset'];
    for (const message of messages) {
      if (message.faults.length > 0 || lastingKinds.includes(kind)) continue;
      expect(message.payload).toBe(clean.get(message.takenMs)?.payload);
    }
    for (const message of marked) expect(shows(kind, message, clean.get(message.takenMs))).toBe(true);
  },
);

/** Whether a message that was struck is different in the way in which it should be. */
function shows(kind: FaultKind, message: SimulatedMessage, clean: SimulatedMessage | undefined): boolean {
  switch (kind) {
    case 'late':
      return message.dueMs > message.takenMs;
    case 'disorder':
      return message.dueMs > message.takenMs + INTERVAL_MS;
    case 'duplicate':
      return message.payload === clean?.payload;
    case 'jitter':
      return clean === undefined && offBeat(message.takenMs) <= 0.2 * INTERVAL_MS;
    case 'clock_drift':
      return Math.abs(message.tsMs - message.takenMs) <= 40_000;
    case 'clock_jump':
      return Math.abs(message.tsMs - message.takenMs) <= 2 * 3_600_000;
    case 'clock_unset':
      return new Date(readingOf(message).ts).getUTCFullYear() === 2000;
    case 'register_reset':
    case 'register_glitch':
      return readingOf(message).import_wh === 0;
    case 'spike':
      return readingOf(message).power_w > 1e6;
    case 'power_unit':
      return clean !== undefined && near(readingOf(message).power_w, readingOf(clean).power_w / 1_000);
    case 'register_unit':
      return clean !== undefined && near(readingOf(message).import_wh, readingOf(clean).import_wh / 1_000);
    case 'garbled':
      return clean?.payload.startsWith(message.payload) === true && message.payload.length < clean.payload.length;
    case 'empty':
      return message.payload === '{}';
    default:
      return false;
  }
}

const FIRST_MS = sent({ days: 1 })[0]?.takenMs ?? 0;
const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.002;

/** How far from the moment at which a reading is due without jitter. */
function offBeat(takenMs: number): number {
  const late = (takenMs - FIRST_MS) % INTERVAL_MS;
  return Math.min(late, INTERVAL_MS - late);
}

test('duplicates come twice, late ones after the others, overtaken ones out of order', () => {
  const twice = struck(sent({ kinds: ['duplicate'] }), 'duplicate');
  const counts = new Map<string, number>();
  for (const { payload } of twice) counts.set(payload, (counts.get(payload) ?? 0) + 1);
  expect(new Set(counts.values())).toEqual(new Set([2]));
  const falls = (messages: readonly SimulatedMessage[]) =>
    messages.filter(({ takenMs }, index) => takenMs < (messages[index - 1]?.takenMs ?? 0)).length;
  expect(falls(sent({ kinds: ['disorder'] }))).toBeGreaterThan(0);
  expect(falls(sent({ kinds: ['late'] }))).toBeGreaterThan(0);
  const due = sent({ kinds: FAULT_KINDS }).map(({ dueMs }) => dueMs);
  expect(due).toEqual(due.toSorted((a, b) => a - b));
});

test('a register that passes its largest value goes on from zero without losing anything', () => {
  const number = fleet.findIndex((meter) => rollsOver({ seed: 9, kinds: ['rollover'] }, meter.number));
  expect(number).toBeGreaterThanOrEqual(0);
  const readings = sent({ kinds: ['rollover'], number, days: 20 }).map(readingOf);
  const wrapped = readings.findIndex(({ import_wh }, index) => import_wh < (readings[index - 1]?.import_wh ?? 0));
  expect(wrapped).toBeGreaterThan(0);
  const plain = sent({ number, days: 20 }).map(readingOf);
  const [first, last] = [readings[0]?.import_wh ?? 0, readings.at(-1)?.import_wh ?? 0];
  const counted = (plain.at(-1)?.import_wh ?? 0) - (plain[0]?.import_wh ?? 0);
  expect(Math.max(...readings.map(({ import_wh }) => import_wh))).toBeLessThan(REGISTER_MAX_WH);
  expect(last + REGISTER_MAX_WH - first).toBeCloseTo(counted, 0);
});

test('a register that was reset and is set back then stands at zero, and counts on from there', () => {
  const deed = { kind: 'register_rollback', wh: 200_000 } as const;
  const thefts = [{ customer: 0, fromMs: FROM_MS + 4 * DAY_MS, toMs: Number.POSITIVE_INFINITY, deed }];
  const [meter] = createFleet({ customers: 1, feeders: 0, seed: 4, fromMs: FROM_MS, stepMinutes: 5, thefts });
  if (meter === undefined) throw new Error('a meter');
  const span = { meter, format: native, fromMs: FROM_MS, toMs: FROM_MS + 8 * DAY_MS, intervalMs: INTERVAL_MS };
  const shown = [...messagesOf({ ...span, faults: { seed: 9, kinds: ['register_reset'], times: 10 } })].map(readingOf);
  const resets = shown.filter(({ import_wh }, index) => import_wh < (shown[index - 1]?.import_wh ?? 0));
  expect(resets.some(({ ts }) => ts < FROM_MS + 4 * DAY_MS)).toBe(true);
  const setBack = shown.findIndex(({ ts }) => ts >= FROM_MS + 4 * DAY_MS);
  expect(shown[setBack]?.import_wh).toBe(0);
  for (const [index, { ts, import_wh }] of shown.entries()) {
    const before = shown[index - 1];
    if (before === undefined || import_wh < before.import_wh) continue;
    expect(import_wh - before.import_wh).toBeCloseTo(meter.countedWh(ts) - meter.countedWh(before.ts), 0);
  }
});

test('only registers that are to roll over have eight digits', () => {
  const [meter] = fleet;
  if (meter === undefined) throw new Error('a meter');
  const much = (atMs: number) => ({ ...meter.at(atMs), import_wh: REGISTER_MAX_WH + meter.at(atMs).import_wh });
  const full = { ...meter, at: much, shown: (atMs: number) => ({ reading: much(atMs), conditions: [] }) };
  const span = { meter: full, format: native, fromMs: FROM_MS, toMs: FROM_MS + DAY_MS, intervalMs: 3_600_000 };
  const messages = [...messagesOf({ ...span, faults: { seed: 9, kinds: [], times: 1 } })];
  for (const { import_wh } of messages.map(readingOf)) expect(import_wh).toBeGreaterThan(REGISTER_MAX_WH);
});

test('faults happen about as often as they say, the same ones whenever they are asked for, and end in time', () => {
  const plan = { seed: 2, kinds: FAULT_KINDS, times: 1 };
  const all = Array.from({ length: 3_000 }, (_, meter) => faultsOn(plan, meter, 20_500)).flat();
  expect(faultsOn(plan, 17, 20_500)).toEqual(faultsOn(plan, 17, 20_500));
  for (const kind of FAULT_KINDS) {
    const count = all.filter((fault) => fault.kind === kind).length;
    const expected = 3_000 * FAULTS[kind].perDay;
    expect(Math.abs(count - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected));
  }
  expect(Math.max(...all.map(({ fromMs, toMs }) => toMs - fromMs))).toBeLessThanOrEqual(
    (LONGEST_FAULT_DAYS - 1) * DAY_MS + 6 * 3_600_000,
  );
});
